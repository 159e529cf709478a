"""Which phrases tell that something is wrong, or right, whatever the single words of them weigh?"""
