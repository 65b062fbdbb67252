"""Tools in the making: a folder with source, its manifest, and what builds and checks it."""
