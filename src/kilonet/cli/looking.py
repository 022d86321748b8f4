"""What `kilonet fit` sees of trouble: on the way, and in one look when training is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kilonet.cli.again import call
from kilonet.cli.asked import Asked
from kilonet.cli.columns import told_before
from kilonet.cli.console import Console, count
from kilonet.cli.remedies import as_options
from kilonet.cli.rows import Parts
from kilonet.cli.seam import Estimator, Watch, cause_text, examine, judged, plain_inputs, planned_network, planned_rate
from kilonet.findings import Finding
from kilonet.numerals import capital, ended
from kilonet.optimizers import optimizer_from

_NOTHING = "nothing learned"  # which is worth a word whatever the cause, unless nobody could have expected more
_EXPECTED = 20  # epochs from which on something is: as many as there are at least where nobody says how many


@dataclass(eq=False)
class Lookout:
    """The warnings of one fit; told: the findings that were told of on the way."""

    console: Console
    asked: Asked
    told: list[Finding] = field(default_factory=list)

    def during(self, estimator: Estimator, rows: Parts) -> Watch:
        """A callback that warns while it trains: of dead and saturated units, of steps that are too large."""

        def tell(finding: Finding, where: str) -> None:
            self.told.append(finding)
            tries = [as_options(remedy.changes) for remedy in finding.remedies if remedy.changes]
            advice = " or ".join(f"try {option}" if option.startswith("--") else option for option in tries[:2])
            advice = advice.replace(" or try ", " or ") if advice.startswith("try ") else advice
            self.console.warn(f"{finding.what}{where}: {finding.cause}{'; ' if advice else ''}{advice}")

        network = planned_network(estimator, rows.n_inputs, rows.everything)
        optimizer = optimizer_from(estimator.optimizer)
        settings = estimator.get_params(deep=False) | {"rate": planned_rate(estimator), "optimizer": optimizer.name}
        return Watch(network, settings, tell, inputs=None if rows.standardized else plain_inputs(rows.X, rows.names))

    def after(self, estimator: Estimator, rows: Parts) -> list[Finding]:
        """What `kilonet diagnose` would warn of in the first member, as far as it takes no further training."""
        judges = rows.held_y is not None and len(rows.held_y) > 1
        validation: Any = (rows.held_x, rows.held_y) if judges else None
        with told_before():
            findings = judged(examine(estimator, rows.X, rows.y, validation=validation, full=False))
        expected = estimator.n_iter_ >= _EXPECTED
        return [one for one in findings if (expected if one.rule == _NOTHING else one.severity != "info")]

    def tell(self, found: list[Finding], too_early: str = "") -> None:
        """One line with the command that tells more, if anything went wrong.

        too_early: what is to be said instead where nothing else is wrong, or no cause is known of what is. Of a
        training that failed, more of the same is seldom what it lacks.
        """
        again = f"`{call('diagnose', [self.asked.out, self.asked.data], {})}`"
        curable = any(remedy.changes for one in [*self.told, *found] for remedy in one.remedies)
        cures = ", and what cures it" if curable else ""
        if self.told:
            self.console.warn(f"{again} tells more of this{cures}")
        elif found:
            first, *others = found
            cause = f" {cause_text(first.cause)}" if first.cause else ""
            why = f" {capital(too_early)}" if too_early and not first.because else cause
            also = f", also of {count(len(others), 'further finding')}" if others else ""
            self.console.warn(f"{ended(first.what)}{why} {again} tells more{also}{cures}")
        elif too_early:
            self.console.warn(too_early)
