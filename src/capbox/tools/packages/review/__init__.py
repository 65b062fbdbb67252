"""What a package asks for and could do, in words, before a person says yes."""
