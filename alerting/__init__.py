"""A public-warning service: one entry, every channel, nothing lost, nobody alerted by mistake."""
