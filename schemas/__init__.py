"""The contract: everything that a device and the server must compute alike.

Exchanges and kinds as marshmallow schemas, the catalogue, the receipt token, signatures and
identifiers. Never imports `server` or `field_client`.
"""
