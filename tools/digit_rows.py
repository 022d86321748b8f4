"""Write ten rows of scikit-learn's handwritten digits, without their labels, as CSV to the file that is named."""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_digits


def main(path: Path) -> None:
    """Write the first ten images, which show 0 to 9 in this order."""
    digits = load_digits()
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(digits.feature_names)
        writer.writerows(digits.data[:10].astype(int).tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
