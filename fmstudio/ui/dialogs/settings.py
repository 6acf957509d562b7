"""Settings: looks, device, cache, matching, keys. Each holds at once."""

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fmstudio.session import MatchSettings
from fmstudio.ui.action_specs import ACTIONS
from fmstudio.ui.actions import translated
from fmstudio.ui.controller import Controller
from fmstudio.ui.preferences import DEVICES, THEMES, Preferences

_MB = 1_000_000


class SettingsDialog(QDialog):
    """Three pages: general, matching, keys.

    Parameters
    ----------
    controller : Controller
    preferences : Preferences
    parent : QWidget or None
    """

    def __init__(
        self, controller: Controller, preferences: Preferences, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller, self._preferences = controller, preferences
        self.setWindowTitle(self.tr("Settings"))
        self.setMinimumSize(480, 440)
        pages = QTabWidget(self)
        pages.addTab(self._general(), self.tr("General"))
        pages.addTab(self._matching(), self.tr("Matching"))
        pages.addTab(self._key_page(), self.tr("Keys"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(pages, 1)
        layout.addWidget(buttons)

    # General

    def _general(self) -> QWidget:
        """Return the page of looks, device and cache."""
        page = QWidget(self)
        self.theme = _words(page, THEMES, self._preferences.theme, self.tr("Theme"))
        self.theme.currentTextChanged.connect(self._set_theme)
        self.device = _words(page, DEVICES, self._preferences.device, self.tr("Device"))
        self.device.currentTextChanged.connect(self._set_device)
        self.cache = QLabel(page)
        self.clear = QPushButton(self.tr("Clear"), page)
        self.clear.clicked.connect(self._clear_cache)
        form = _form(page)
        form.addRow(self.tr("Theme"), self.theme)
        form.addRow(self.tr("Compute on"), self.device)
        form.addRow(self.tr("Cache of this project"), self.cache)
        form.addRow("", self.clear)
        self._measure_cache()
        return page

    def _set_theme(self, value: str) -> None:
        """Change the looks."""
        self._preferences.theme = value

    def _set_device(self, value: str) -> None:
        """Change where the next propagation computes."""
        self._preferences.device = value

    def _cache_dir(self) -> Path | None:
        """Return the folder of the open project's caches, if it is there."""
        session = self._controller.session
        return session.cache_dir if session is not None and session.cache_dir.is_dir() else None

    def _measure_cache(self) -> None:
        """Say how large the cache is."""
        folder = self._cache_dir()
        size = 0 if folder is None else sum(f.stat().st_size for f in folder.rglob("*.*"))
        self.cache.setText(self.tr("{0} MB").format(f"{size / _MB:,.1f}"))
        self.clear.setEnabled(size > 0)

    def _clear_cache(self) -> None:
        """Delete the caches; all of it can be computed again."""
        folder = self._cache_dir()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        self._measure_cache()

    # Matching

    def _matching(self) -> QWidget:
        """Return the page of the matching settings, each with what it does."""
        page, chosen = QWidget(self), self._preferences.match_settings
        self.long_side = QSpinBox(page)
        self.long_side.setRange(128, 4096)
        self.long_side.setSingleStep(64)
        self.long_side.setValue(chosen.long_side)
        self.long_side.setSuffix(self.tr(" px"))
        self.k = QSpinBox(page)
        self.k.setRange(1, 1000)
        self.k.setValue(chosen.k)
        self.map_weight = QDoubleSpinBox(page)
        self.map_weight.setRange(0.0, 1.0)
        self.map_weight.setSingleStep(0.05)
        self.map_weight.setValue(chosen.map_weight)
        self.basis = _words(page, ("feature", "uniform"), chosen.basis, self.tr("Basis"))
        self.basis_extractor = QLineEdit(chosen.basis_extractor, page)
        self.descriptors = QLineEdit(",".join(chosen.descriptor_extractors), page)
        rows = (
            (self.tr("Working size"), self.long_side, self.tr("larger sees more, and is slower")),
            (self.tr("Basis functions"), self.k, self.tr("more follow finer detail")),
            (self.tr("Share of the map"), self.map_weight, self.tr("the rest is raw similarity")),
            (self.tr("Basis"), self.basis, self.tr("from features, or of the grid alone")),
            (self.tr("Basis network"), self.basis_extractor, self.tr("see Models")),
            (self.tr("Descriptor networks"), self.descriptors, self.tr("with commas between")),
        )
        form = _form(page)
        for name, field, tip in rows:
            field.setToolTip(tip)
            field.setAccessibleName(name)
            form.addRow(name, field)
        reset = QPushButton(self.tr("Reset to the defaults"), page)
        reset.clicked.connect(self._reset)
        form.addRow("", reset)
        for box in (self.long_side, self.k, self.map_weight):
            box.editingFinished.connect(self._keep_matching)
        for line in (self.basis_extractor, self.descriptors):
            line.editingFinished.connect(self._keep_matching)
        self.basis.currentTextChanged.connect(self._keep_matching)
        return page

    def _keep_matching(self) -> None:
        """Keep what the page says."""
        names = [name.strip() for name in self.descriptors.text().split(",") if name.strip()]
        default = MatchSettings()
        self._preferences.match_settings = MatchSettings(
            basis_extractor=self.basis_extractor.text().strip() or default.basis_extractor,
            descriptor_extractors=tuple(names) or default.descriptor_extractors,
            long_side=self.long_side.value(),
            k=self.k.value(),
            basis=self.basis.currentText(),
            map_weight=self.map_weight.value(),
        )

    def _reset(self) -> None:
        """Take the defaults again."""
        default = MatchSettings()
        self.long_side.setValue(default.long_side)
        self.k.setValue(default.k)
        self.map_weight.setValue(default.map_weight)
        self.basis.setCurrentText(default.basis)
        self.basis_extractor.setText(default.basis_extractor)
        self.descriptors.setText(",".join(default.descriptor_extractors))
        self._keep_matching()

    # Keys

    def _key_page(self) -> QWidget:
        """Return the page on which commands get other keys."""
        page = QWidget(self)
        self.keys = QTableWidget(len(ACTIONS), 2, page)
        self.keys.setHorizontalHeaderLabels([self.tr("Command"), self.tr("Keys")])
        self.keys.verticalHeader().hide()
        header = self.keys.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        overrides = self._preferences.key_overrides
        for row, spec in enumerate(ACTIONS):
            name = QTableWidgetItem(translated(spec.text).format(spec.id[-1]).removesuffix("..."))
            name.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            self.keys.setItem(row, 0, name)
            text = overrides.get(spec.id, ", ".join(spec.keys))
            self.keys.setItem(row, 1, QTableWidgetItem(text))
        self.conflict = QLabel(page)
        self.conflict.setWordWrap(True)
        self.keys.itemChanged.connect(self._keep_keys)
        layout = QVBoxLayout(page)
        layout.addWidget(self.keys, 1)
        layout.addWidget(self.conflict)
        self._say_conflicts()
        return page

    def _keep_keys(self) -> None:
        """Keep the keys that differ from the table's."""
        chosen = {}
        for row, spec in enumerate(ACTIONS):
            text = self._cell(row, 1).strip()
            if text != ", ".join(spec.keys):
                chosen[spec.id] = text
        self._preferences.key_overrides = chosen
        self._say_conflicts()

    def _cell(self, row: int, column: int) -> str:
        """Return what stands in a cell."""
        item = self.keys.item(row, column)
        return "" if item is None else item.text()

    def _say_conflicts(self) -> None:
        """Name a key that two commands have, or that is none."""
        seen: dict[str, str] = {}
        fault = ""
        for row in range(self.keys.rowCount()):
            name = self._cell(row, 0)
            for key in filter(None, self._cell(row, 1).split(", ")):
                plain = QKeySequence(key).toString()
                if not plain:
                    fault = self.tr("'{0}' of '{1}' is no key.").format(key, name)
                elif plain in seen and seen[plain] != name:
                    fault = self.tr("{0} is the key of both '{1}' and '{2}'.").format(
                        plain, seen[plain], name
                    )
                seen[plain] = name
        self.conflict.setText(fault)


def _form(page: QWidget) -> QFormLayout:
    """Return a form with this program's distances."""
    form = QFormLayout(page)
    form.setContentsMargins(12, 12, 12, 12)
    form.setHorizontalSpacing(16)
    form.setVerticalSpacing(8)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return form


def _words(page: QWidget, words: tuple[str, ...], chosen: str, name: str) -> QComboBox:
    """Return a box with one of some words chosen."""
    box = QComboBox(page)
    box.addItems(words)
    box.setCurrentText(chosen)
    box.setAccessibleName(name)
    return box
