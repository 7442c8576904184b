"""The grammar of strategies for people and for editors, made from the tables that read them."""
