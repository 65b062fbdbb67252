"""What a package is: an OCI artefact, and the image layout that holds it on disk."""
