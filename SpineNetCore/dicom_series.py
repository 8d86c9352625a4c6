"""Which slices of a DICOM folder are the sagittal T2 series."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from SpineNetCore.dicom_headers import DicomSlice, SeriesKey, is_dicom, slices_of_file
from SpineNetCore.errors import InputError

LONG_ECHO_MS = 60.0
"""Echo time from which a series without a telling name counts as T2. ours: T1 and proton density lie below 40 ms."""

ECHO_GAP_MS = 5.0
"""ours: echo times further apart are the two images of a double-echo series; within one they vary by tenths."""

_T1 = re.compile(r"t1(?!\d)")
_T2 = re.compile(r"t2(?!\d)")
_FAT_SUPPRESSION = re.compile(r"stir|tirm|spair|spir|fat|dixon|water|fs(?![a-z])")
_ELSEWHERE = re.compile(r"thora|dorsal|cerv|brain|bws|hws|(?<![a-z])[ct][-_ ]?(sp|wk)")
_LUMBAR = re.compile(r"lumb|lomb|lws|sacr|(?<![a-z])ls?[-_ ]?(sp|wk)")
"""Parts of the body as series are called by, in several languages: a thoracolumbar one shows the lumbar spine, too."""

_NOT_PLAIN = re.compile(r"adc|dwi|diff|trace|myelo|(?<![a-z])(sub|mip|mpr)(?![a-z])")
"""Diffusion, myelograms and what was computed from other pictures."""

_LOCALISER = re.compile(r"(?<![a-z])loc|scout|survey")


@dataclass(frozen=True)
class ChosenSeries:
    """slices: in no order. others: how many series were passed over. rival: one that suits just as well."""

    slices: list[DicomSlice]
    others: int = 0
    rival: SeriesKey | None = None

    @property
    def notices(self) -> tuple[str, ...]:
        """What a report says of the choice, where there was one."""
        if not self.others:
            return ()
        said = f"Of {self.others + 1} DICOM series, '{title(self.slices[0].series)}'{_of_day(self.slices[0])} was read."
        if self.rival is not None:
            rival = f"'{title(self.rival)}'"
            rival += "" if self.rival.study == self.slices[0].series.study else " of another examination"
            said += f" {rival} suits as well: give a folder with that series alone to have it read."
        return (said,)


def sagittal_t2_series(folder: Path) -> ChosenSeries:
    """The best series below a folder: sagittal, of no other part of the body, T2, without fat suppression, of the last
    day, most slices.

    Raises InputError where nothing can be chosen.
    """
    slices = _slices_below(folder)
    _check_one_patient(slices, folder)
    return _best(slices, folder)


def series_of_file(path: Path) -> ChosenSeries:
    """The slice of a plain file, or the best series among the frames of an enhanced one, which may hold two echoes.

    Raises InputError where it is no MR image, or none of its frames is sagittal.
    """
    slices = slices_of_file(path)
    return _best(slices, path) if len(slices) > 1 else ChosenSeries(slices)


def _best(slices: list[DicomSlice], source: Path) -> ChosenSeries:
    series = _grouped(slices)
    sagittal = [group for group in series if _is_mostly_sagittal(group)]
    if not sagittal:
        names = ", ".join(f"'{title(group[0].series)}'" for group in series)
        raise InputError(f"'{source}' holds no sagittal series, only {names}: give the folder of a sagittal T2 series.")
    chosen, *rest = sorted(sagittal, key=lambda group: (_kind(group), _size(group)), reverse=True)
    rivals = (other[0].series for other in rest if _suits_as_well(other, chosen))
    return ChosenSeries(chosen, len(series) - 1, next(rivals, None))


def _suits_as_well(other: list[DicomSlice], chosen: list[DicomSlice]) -> bool:
    """Whether chance settled it, or size did between examinations of one day, or without a date."""
    is_of_another = other[0].series.study != chosen[0].series.study
    return _kind(other) == _kind(chosen) and (is_of_another or _size(other) == _size(chosen))


def is_t2(series: SeriesKey) -> bool:
    """Whether a series is T2-weighted, by its name or else by its echo time."""
    name = series.description.lower()
    if _T1.search(name) or _T2.search(name):
        return bool(_T2.search(name))
    return series.echo_time_ms is not None and series.echo_time_ms >= LONG_ECHO_MS


def suppresses_fat(series: SeriesKey) -> bool:
    """Whether marrow is darkened, by a series' options or its name."""
    return series.has_fat_saturation or bool(_FAT_SUPPRESSION.search(series.description.lower()))


def _of_day(header: DicomSlice) -> str:
    date = header.series.date
    return f" of {date[:4]}-{date[4:6]}-{date[6:]}" if re.fullmatch(r"\d{8}", date) else ""


def title(series: SeriesKey) -> str:
    """What to call a series on screen."""
    return series.description or series.uid


def _slices_below(folder: Path) -> list[DicomSlice]:
    slices: list[DicomSlice] = []
    refusals: list[InputError] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and is_dicom(path)):
        try:
            slices += slices_of_file(path)
        except InputError as refusal:  # reports and screenshots lie beside the images of most studies
            refusals.append(refusal)
    if not slices and refusals:
        raise InputError(f"'{folder}' holds no DICOM image that can be used: {refusals[0]}")
    if not slices:
        raise InputError(f"'{folder}' holds no DICOM image: give a folder with a sagittal T2 series or an image file.")
    return slices


def _check_one_patient(slices: list[DicomSlice], folder: Path) -> None:
    patients = sorted({header.patient for header in slices})
    if len(patients) > 1:
        names = ", ".join(f"'{patient}'" for patient in patients)
        raise InputError(f"'{folder}' holds {len(patients)} patients ({names}): give the folder of one.")


def _grouped(slices: list[DicomSlice]) -> list[list[DicomSlice]]:
    groups: dict[SeriesKey, list[DicomSlice]] = defaultdict(list)
    for header in slices:
        groups[replace(header.series, echo_time_ms=None, study="")].append(header)
    return [echo for group in groups.values() for echo in _echoes(group)]


def _echoes(group: list[DicomSlice]) -> list[list[DicomSlice]]:
    """A series parted where its echo times leave a gap."""
    ordered = sorted(group, key=_echo_time_ms)
    gaps = [n for n, (a, b) in enumerate(pairwise(ordered), 1) if _echo_time_ms(b) - _echo_time_ms(a) > ECHO_GAP_MS]
    return [ordered[first:end] for first, end in pairwise([0, *gaps, len(ordered)])]


def _echo_time_ms(header: DicomSlice) -> float:
    return header.series.echo_time_ms or 0.0


def _is_mostly_sagittal(group: list[DicomSlice]) -> bool:
    """False for localisers in three planes; a stray slice is left for the stack's own check to name."""
    return 2 * sum(header.is_sagittal for header in group) > len(group)


def _kind(group: list[DicomSlice]) -> tuple[bool, bool, bool, bool, bool, bool, bool, str]:
    """Rises with how well a series suits."""
    series = group[0].series
    name = series.description.lower()
    place = f"{name} {series.body_part.lower()}"
    return (
        not _LOCALISER.search(name),
        not _ELSEWHERE.search(place) or bool(_LUMBAR.search(place)),
        not (series.is_echo_planar or _NOT_PLAIN.search(name)),
        is_t2(series),
        not suppresses_fat(series),
        not series.is_gradient_echo,
        series.echo_time_ms is None or series.echo_time_ms >= LONG_ECHO_MS,
        series.date,
    )


def _size(group: list[DicomSlice]) -> tuple[int, int]:
    """Slices, then pixels of each: of two series of a kind the larger is taken."""
    return len(group), group[0].shape[0] * group[0].shape[1]
