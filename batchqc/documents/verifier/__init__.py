"""Is this the certificate that the site sealed? An independent answer, for a machine of one's own.

What is here imports the standard library, ``cryptography`` and ``asn1crypto`` only, and shares no
code with what makes certificates, seals them or keeps the log. ``batchqc certificate verify`` runs
it; ``documents.standalone`` writes the same modules into one file, and so no two modules here give
the same name to two things.
"""
