"""Webhooks: signatures over raw bytes, checked before anything decodes them.

In the order in which a delivery meets them: `challenge.challenge_answer` (a question, not an
event), `signature.proof` (is it genuine), `dedupe.deliveries` (each event in it, and what to know
it by), `Webhook.read` (its payload).
"""
