"""How the review went: what is left, what was corrected, how fast; and a sample to audit."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.edits import SetStatus
from fmstudio.project.estimate import LEVEL, Estimate
from fmstudio.project.wording import counted
from fmstudio.session_review import ReviewSummary, plan_audit, summarise_review
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, Number, heading
from fmstudio.ui.panels.glyphs import tabular
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.review import ReviewMeter

_SAMPLE = 20


class ReviewSummaryDialog(QDialog):
    """Figures that follow every edit, and a button that draws an audit sample into the queue.

    Parameters
    ----------
    controller : Controller
    meter : ReviewMeter
    parent : QWidget or None
    """

    def __init__(
        self, controller: Controller, meter: ReviewMeter, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller, self._meter = controller, meter
        self.setWindowTitle(self.tr("Review summary"))
        self.setMinimumWidth(480)
        names = {
            "waiting": self.tr("Not reviewed"),
            "unseen": self.tr("Accepted unseen"),
            "reviewed": self.tr("Reviewed"),
            "corrections": self.tr("Corrections"),
            "pace": self.tr("Pace"),
            "audit": self.tr("Audit sample"),
        }
        form = QFormLayout()
        form.setHorizontalSpacing(MARGIN)
        form.setVerticalSpacing(GAP)
        self.lines = {key: self._line() for key in names}
        for key, name in names.items():
            form.addRow(f"{name}:", self.lines[key])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addLayout(form)
        self.note = Caption(
            self.tr("In brackets where the truth lies in {0} of 100 cases, learnt from what was "
                    "reviewed.").format(round(100 * LEVEL))
        )  # fmt: skip
        layout.addWidget(self.note)
        layout.addSpacing(GAP)
        layout.addWidget(heading(self.tr("Audit what was accepted unseen")))
        layout.addWidget(
            Caption(self.tr("A random sample goes back into the queue. Accept or correct it as "
                            "usual: what you find says how good the rest is."))
        )  # fmt: skip
        layout.addLayout(self._audit_row())
        layout.addWidget(buttons)
        meter.changed.connect(self._show)
        controller.sessionChanged.connect(self.close)
        self._show()

    def draw(self) -> None:
        """Put a random sample into the queue, as one edit."""
        project = self._controller.project
        if project is None:
            return
        plans: list[SetStatus] = []
        count = self.count.value()
        if self._controller.attempt(lambda: plans.append(plan_audit(project, count))):
            self._controller.perform(plans[0])

    # Private

    def _line(self) -> QLabel:
        """Return a label for figures."""
        label = PlainLabel(self)
        label.setFont(tabular(self.font()))
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _audit_row(self) -> QHBoxLayout:
        """Return the size of the sample and the button that draws it."""
        self.count = Number(self.tr("Annotations of the audit sample"), (1, 10_000), 5)
        self.count.setValue(_SAMPLE)
        self.draw_button = QPushButton(self.tr("Draw the sample"), self)
        self.draw_button.setAutoDefault(False)
        self.draw_button.clicked.connect(self.draw)
        self.drawable = PlainLabel(self)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.count)
        row.addWidget(self.draw_button)
        row.addWidget(self.drawable, 1)
        return row

    def _show(self) -> None:
        """Show the figures of the project as it is."""
        project = self._controller.project
        if project is None:
            return
        summary = summarise_review(project, self._meter.tally)
        texts = {
            "waiting": self._expected(summary.waiting, summary.waiting_annotations),
            "unseen": self._expected(summary.unseen, summary.unseen_annotations),
            "reviewed": self._reviewed(summary),
            "corrections": self._corrections(summary),
            "pace": self._pace(),
            "audit": self._audit(summary),
        }
        for key, text in texts.items():
            self.lines[key].setText(text)
        n = summary.unseen_annotations
        self.draw_button.setEnabled(n > 0)
        self.count.setEnabled(n > 0)
        self.drawable.setText(
            self.tr("of {0}").format(f"{n:,}") if n else self.tr("Nothing was accepted unseen.")
        )

    def _expected(self, found: Estimate, annotations: int) -> str:
        """Return how many of some points are expected to be wrong."""
        if not found.points:
            return self.tr("nothing")
        low, high = found.rates
        return self.tr("{0}, {1}\nabout {2} wrong: {3} ({4} to {5})").format(
            counted(annotations, "annotation"),
            counted(found.points, "point"),
            f"{found.wrong:,.0f}",
            f"{found.rate:.1%}",
            f"{low:.1%}",
            f"{high:.1%}",
        )

    def _reviewed(self, summary: ReviewSummary) -> str:
        """Return what a person found."""
        if not summary.seen:
            return self.tr("nothing yet")
        share = f"{summary.seen_wrong / summary.seen:.1%}"
        points = counted(summary.seen, "point")
        return self.tr("{0}, {1} wrong ({2})").format(points, f"{summary.seen_wrong:,}", share)

    def _corrections(self, summary: ReviewSummary) -> str:
        """Return how much was corrected."""
        each = summary.corrections_per_image
        if each is None:
            return self.tr("none yet")
        images = counted(summary.reviewed_images, "image")
        points = counted(summary.corrections, "point")
        return self.tr("{0} on {1}: {2} per image").format(points, images, f"{each:.1f}")

    def _pace(self) -> str:
        """Return how fast it goes since the project was opened."""
        pace = self._meter.pace
        if pace.per_hour is None:
            return self.tr("{0} so far").format(counted(pace.labels, "label"))
        return self.tr("{0} in {1} min: {2} per hour").format(
            counted(pace.labels, "label"), f"{pace.minutes:.0f}", f"{pace.per_hour:,.0f}"
        )

    def _audit(self, summary: ReviewSummary) -> str:
        """Return what the sample says."""
        found, waits = summary.audit, summary.audit_waiting
        left = self.tr("{0} to look at").format(counted(waits, "annotation")) if waits else ""
        if not found.points:
            return left or self.tr("none drawn")
        said = self.tr("{0} of {1} wrong: {2} ({3} to {4})").format(
            f"{found.wrong:,}",
            counted(found.points, "point"),
            f"{found.rate:.1%}",
            f"{found.low:.1%}",
            f"{found.high:.1%}",
        )
        return f"{said}\n{left}" if left else said
