"""The demo: campaigns of Tiền Giang 2020 replayed by real tablets against a real server.

Stands on top of the server beside the commands. What happens on tablets happens in processes of
their own, which are started and spoken to through pipes; nothing here is needed to run an office.
"""
