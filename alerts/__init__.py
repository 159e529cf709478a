"""Who must know, who owns it, was it answered in time?"""
