"""The blast radius as people and programs see it: in lines, as JSON, as one page with a picture."""
