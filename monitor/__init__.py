"""What is being said, and how bad is it?"""
