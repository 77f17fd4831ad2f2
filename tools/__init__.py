"""Development tools that stand beside the product; nothing in the product imports them."""
