"""Published assays, as data: CombiStats examples (EDQM), Ph. Eur. 5.3 (R package pla), drc."""

ROW_LABELS = "S1 T1 T2 S3 S2 T3 T1 T3 S3 S2 T2 S1 T2 S1 S2 T3 S3 T1 S3 S2 S1 T1 T3 T2 S2 T2 T3 S1 T1 S3 T3 S3 T1 T2 S1 S2"  # noqa: E501
ZONES = "161 151 162 194 176 193 160 192 195 184 181 166 178 150 174 199 201 161 187 172 161 160 202 186 171 170 193 163 154 198 194 192 151 171 151 182"  # noqa: E501


def nystatin():
    """Ph. Eur. 5.3, 5.1.2: Latin square; labels, doses, zones, (rows, columns)."""
    wells = ROW_LABELS.split()
    doses = [{"1": 1 / 45, "2": 1 / 30, "3": 1 / 20}[one[1]] for one in wells]
    zones = [float(one) for one in ZONES.split()]
    rows = [n % 6 for n in range(36)]
    columns = [n // 6 for n in range(36)]
    return [one[0] for one in wells], doses, zones, (rows, columns)


def _replicated(table):
    names, doses, y = [], [], []
    for name, dose, values in table:
        for value in values:
            names.append(name)
            doses.append(dose)
            y.append(value)
    return names, doses, y


def hepatitis_b_vaccine():
    """CombiStats example 7: three preparations, five doses, ln response."""
    s = [
        (0.043, 0.045, 0.051),
        (0.093, 0.099, 0.082),
        (0.159, 0.154, 0.166),
        (0.283, 0.295, 0.362),
        (0.514, 0.531, 0.545),
    ]
    t = [
        (0.097, 0.097, 0.094),
        (0.167, 0.157, 0.178),
        (0.327, 0.355, 0.345),
        (0.501, 0.665, 0.576),
        (1.140, 1.386, 1.051),
    ]
    u = [
        (0.086, 0.071, 0.073),
        (0.127, 0.146, 0.133),
        (0.277, 0.268, 0.269),
        (0.586, 0.489, 0.546),
        (0.957, 0.866, 1.045),
    ]
    doses = [1 / 16000, 1 / 8000, 1 / 4000, 1 / 2000, 1 / 1000]
    return _replicated(
        (name, dose, values)
        for name, rows in (("S", s), ("T", t), ("U", u))
        for dose, values in zip(doses, rows, strict=True)
    )


def polio():
    """CombiStats example 10: IPV type 3, one response left out as an outlier."""
    s = [
        (0.073, 0.081, 0.110, 0.140),
        (0.150, 0.165, 0.167, 0.168),
        (0.258, 0.293, 0.270, 0.245),
        (0.418, 0.460, 0.469, 0.464),
    ]
    t = [
        (0.095, 0.084, 0.060, None),
        (0.120, 0.144, 0.124, 0.174),
        (0.239, 0.277, 0.261, 0.291),
        (0.416, 0.467, 0.390, 0.451),
    ]
    table = [("S", 1 / d, v) for d, v in zip((240, 120, 60, 30), s, strict=True)]
    table += [("T", 1 / d, v) for d, v in zip((120, 60, 30, 15), t, strict=True)]
    return _replicated(table)


def turbidimetric():
    """Ph. Eur. 5.3, 5.1.3: randomised blocks; labels, doses, responses, blocks."""
    rows = [
        (252, 207, 168, 113, 242, 206, 146, 115), (249, 201, 187, 107, 236, 197, 153, 102),
        (247, 193, 162, 111, 246, 197, 148, 104), (250, 207, 155, 108, 231, 191, 159, 106),
        (235, 207, 140, 98, 232, 186, 146, 95),
    ]  # fmt: skip
    names = ["S"] * 4 + ["T"] * 4
    doses = [1.5**n for n in range(4)] * 2
    y = [float(one) for row in rows for one in row]
    return names * 5, doses * 5, y, [block for block in range(5) for _ in range(8)]


def corticotrophin():
    """Ph. Eur. 5.3, 5.1.1: three preparations, two doses."""
    columns = {
        ("S", 0.25): (300, 310, 330, 290, 364, 328, 390, 360, 342, 306),
        ("S", 1.0): (289, 221, 267, 236, 250, 231, 229, 269, 233, 259),
        ("T", 0.25): (310, 290, 360, 341, 321, 370, 303, 334, 295, 315),
        ("T", 1.0): (230, 210, 280, 261, 241, 290, 223, 254, 216, 235),
        ("U", 0.25): (250, 268, 273, 240, 307, 270, 317, 312, 320, 265),
        ("U", 1.0): (236, 213, 283, 269, 251, 294, 223, 250, 216, 265),
    }
    return _replicated((name, dose, values) for (name, dose), values in columns.items())


#: Ritz et al. 2015: root length of ryegrass by dose of ferulic acid (R drc).
RYEGRASS_DOSE = [0.0] * 6 + [d for d in (0.94, 1.88, 3.75, 7.5, 15.0, 30.0) for _ in range(3)]
RYEGRASS = [
    7.58, 8.0, 8.328571429, 7.25, 7.375, 7.9625, 8.355555556, 6.914285714, 7.75, 6.871428571, 6.45,
    5.922222222, 1.925, 2.885714286, 4.233333333, 1.1875, 0.857142857, 1.057142857, 0.6875, 0.525,
    0.825, 0.25, 0.22, 0.44,
]  # fmt: skip
