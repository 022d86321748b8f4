"""What can be wrong with a certificate."""


class CertificateError(ValueError):
    """A certificate is malformed, false, or could not be proven.

    >>> from kilonet.approximation import certify
    >>> certify("{}")
    Traceback (most recent call last):
    kilonet.approximation.faults.CertificateError: The certificate has no key axes; needs axes, bound, format, ...
    """
