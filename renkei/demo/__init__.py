"""`renkei demo`: a merchant with a shop at each sandbox mall, real orders coming in, things going wrong, and the proof.

`seeding` makes the account, `baskets` chooses the orders, `replay` sends shoppers to the malls, `mishaps` breaks things
on the way, `board` and `plain` show it, `settling` waits until nothing moves, `audit` asks the malls what they show.
"""
