def test_x(store): 
    with store.transaction() as l: print(l.mention_count())
def test_y(store): 
    with store.reading() as l: print(l.mention_estimate())
