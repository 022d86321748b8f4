"""Settings of the whole test run."""

import os

from hypothesis import settings

# Examples are derived from the test itself, so that a run can be repeated;
# no deadline, since a busy machine is not a fault.
settings.register_profile("default", deadline=None, derandomize=True, max_examples=50, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
