"""Who is asking. The only room that knows tokens; it says who, never may."""
