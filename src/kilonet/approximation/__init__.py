"""Networks that approximate a function within an eps that is given, and certificates of it that anyone can check.

`approximate` builds by a construction with known errors, `certify` proves a certificate by itself: it looks at the
network, the samples and the Lipschitz constant, and knows nothing of how the network was built.
"""

from kilonet.approximation.build import Approximation, approximate
from kilonet.approximation.faults import CertificateError
from kilonet.approximation.proof import Proof, certify

__all__ = ["Approximation", "CertificateError", "Proof", "approximate", "certify"]
