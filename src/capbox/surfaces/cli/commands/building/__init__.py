"""`capbox tool new|build|test|run|inspect`: tools of one's own, and a look at those of others."""
