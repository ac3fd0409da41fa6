"""The pages: what people see and do in a browser, over the same doors as the API.

A page does nothing that the API cannot: whatever is written goes through a function of ``api``.
"""
