"""A real shop to show and measure with: the orders of a UK mail-order giftware shop before Christmas 2011, and real
Japanese item names. examples/data/README.md names the sources, their licences and what was changed."""
