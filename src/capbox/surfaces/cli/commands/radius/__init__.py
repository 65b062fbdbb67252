"""`capbox blast-radius`: its flags, and from them to what is looked at."""
