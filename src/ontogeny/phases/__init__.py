"""Sample the whole posterior while n grows, and find where its phases exchange their mass."""
