"""What a project is: frozen values, the edits that make new ones, and their history."""
