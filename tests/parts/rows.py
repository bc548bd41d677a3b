"""rows.py - random rows with a column of every type, and what their text and their JSON say.

A column knows its type, how to make a text for it, and how to read the same Python value from
PostgreSQL's text and from the JSON that docs/events.md promises for it: two independent ways.
"""
import base64
import decimal
import json
import re
import struct

EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
UNLIKELY = 0.15  # how often a value is one of its type's edges
WIDEST = 2 ** 63
DAY_US = 86400 * 10 ** 6

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz ABC 0123456789",
    "\"'\\{},;:=()[]<>&%$#@!?/*-+~^`|",
    "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f\u00a0\u00ad",
    "äåæçéïñøßÿ漢字かな한글עבריתعربى\u2028\u2029\u200f\ufeff\ufffd\uffff\ue000",
    "\U00010000\U0001F600\U0001F4C5\U0001F468\u200d\U0001F4BB\U000E0041\U0010FFFF",
)
TEXT_EDGES = ("", " ", "NULL", "null", "\\", '"', "\\N", "{}", "{NULL}", "\\u0000", "\\x00", "\n",
              "__debezium_unavailable_value", "a\tb\r\nc", "'; --", "\U0001F600" * 20)


# dates and times, without datetime's year 9999


def days_from_civil(year, month, day):
    """Since 1970-01-01, in the proleptic Gregorian calendar; year 0 is 1 BC."""
    year -= month <= 2
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return (year * 365 + year // 4 - year // 100 + year // 400) + day_of_year - 719468


def micros_of(text):
    """HH:MM:SS[.ffffff]"""
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 10 ** 6 + int(
        fraction.ljust(6, "0"))


def date_from_text(text):
    if "infinity" in text:
        return text
    year, month, day = map(int, text.removesuffix(" BC").split("-"))
    return days_from_civil(1 - year if text.endswith(" BC") else year, month, day)


def date_from_json(value):
    return {-2147472692: "infinity", -2147472691: "-infinity"}.get(value, value)


def zone_micros(sign, *parts):
    hours, minutes, seconds = (int(part or 0) for part in parts)
    return (-1 if sign == "-" else 1) * ((hours * 60 + minutes) * 60 + seconds) * 10 ** 6


def timestamp_from_text(text):
    """Microseconds since 1970, in UTC where there is a zone."""
    if "infinity" in text:
        return text
    day, time, zone, era = re.fullmatch(
        r"(\S+) ([\d:.]+)((?:[-+][\d:]+)?)( BC)?", text).groups()
    micros = date_from_text(day + (era or "")) * DAY_US + micros_of(time)
    return micros - zone_micros(zone[:1], *(zone[1:].split(":") + [0, 0])[:3])


def counted_timestamp(text):
    """The greatest number from the day on which 64 bits end."""
    micros = timestamp_from_text(text)
    if isinstance(micros, int) and micros >= WIDEST // DAY_US * DAY_US:
        return WIDEST - 1
    return micros


def timestamp_from_json(unit):
    def read(value):
        infinite = {9223372036825200000 // unit: "infinity",
                    -(9223372036832400000 // unit): "-infinity"}
        return value if isinstance(value, str) else infinite.get(value, value * unit)
    return read


def timestamptz_from_json(value):
    if "infinity" in value:
        return value
    year, rest = re.fullmatch(r"([-+]?\d{4,})-(.*)Z", value).groups()
    month, day, time = re.fullmatch(r"(\d\d)-(\d\d)T(\S+)", rest).groups()
    return days_from_civil(int(year), int(month), int(day)) * DAY_US + micros_of(time)


def timetz_from_text(text):
    time, sign, zone = re.fullmatch(r"([\d:.]+)([-+])([\d:]+)", text).groups()
    return (micros_of(time) - zone_micros(sign, *(zone.split(":") + [0, 0])[:3])) % DAY_US


def interval_from_text(text):
    """As doubles have it, which is next to what it is; at most what 64 bits hold."""
    months = days = hours = minutes = 0
    seconds = 0.0
    for number, unit in re.findall(r"([-+]?\d+) (year|mon|day)", text):
        months += int(number) * {"year": 12, "mon": 1, "day": 0}[unit]
        days += int(number) if unit == "day" else 0
    clock = re.search(r"([-+]?)(\d+):(\d\d):(\d\d(?:\.\d+)?)$", text)
    if clock:
        sign = -1 if clock[1] == "-" else 1
        whole, _, fraction = clock[4].partition(".")
        hours, minutes = sign * int(clock[2]), sign * int(clock[3])
        seconds = sign * (int(fraction.ljust(6, "0")) / 1e6 + int(whole))
    all_days = months * (365.25 / 12) + days
    micros = int((((all_days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1e6)
    exact = (months * 2629800 + days * 86400 + hours * 3600 + minutes * 60) * 10 ** 6
    assert abs(micros - exact - round(seconds * 1e6)) <= 2 + abs(micros) // 2 ** 50
    return max(-WIDEST, min(micros, WIDEST - 1))


# numbers and bytes


def number_from_bytes(text):
    return int.from_bytes(base64.b64decode(text, validate=True), "big", signed=True)


def decimal_from_json(scale):
    def read(value):
        if value in ("NaN", "Infinity", "-Infinity"):
            return value
        where, unscaled = (value["scale"], value["value"]) if scale is None else (scale, value)
        return EXACT.scaleb(decimal.Decimal(number_from_bytes(unscaled)), -where)
    return read


def decimal_from_text(text):
    if text in ("NaN", "Infinity", "-Infinity"):
        return text
    return decimal.Decimal(text.replace("$", "").replace(",", ""))


def float_as_written(value):
    """Its shortest text, which tells 0 from -0 and NaN from nothing."""
    return repr(float(value))


def single_as_written(value):
    return repr(struct.unpack("<f", struct.pack("<f", float(value)))[0])


def bits_from_json(value):
    return int.from_bytes(base64.b64decode(value, validate=True), "little")


def bits_from_text(text):
    return int(text or "0", 2)


def same(value):
    return value


# making


def one_of(*values):
    return lambda random: random.choice(values)


def between(least, most):
    return lambda random: str(random.choice((least, most, 0, -1, 1, random.randint(least, most))))


def a_float(form, *edges):
    def make(random):
        if random.random() < UNLIKELY:
            return random.choice(edges + ("NaN", "Infinity", "-Infinity", "0", "-0"))
        size = struct.calcsize(form)
        value = struct.unpack(form, random.randbytes(size))[0]
        return repr(value).replace("inf", "Infinity")
    return make


def a_numeric(digits, scale, *edges):
    def make(random):
        if random.random() < UNLIKELY:
            return random.choice(edges + ("0", "NaN", "0.5"))
        whole = random.randint(0, max(digits - scale, 0))
        behind = random.randint(0, max(scale, 0))
        unscaled = random.choice(("", "-")) + "".join(random.choices("0123456789", k=whole or 1))
        return (unscaled if whole else "0") + "." + "".join(
            random.choices("0123456789", k=behind or 1))
    return make


def a_date(random, last_year=5874897):
    year = random.choice((random.randint(1, 4713), random.randint(1900, 2100), last_year,
                          random.randint(1, last_year - 1), 1))
    era = " BC" if year < 4713 and random.random() < 0.2 else ""
    return f"{year:04}-{random.randint(1, 12):02}-{random.randint(1, 28):02}{era}"


def a_time(random):
    return random.choice(("00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.7",
                          f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:"
                          f"{random.randint(0, 59):02}.{random.randint(0, 999999):06}"))


def a_zone(random):
    return random.choice(("+00", "-15:59:59", "+15:59:59", "+05:30", "-03:00",
                          f"{random.choice('+-')}{random.randint(0, 14):02}:"
                          f"{random.randint(0, 59):02}"))


def a_moment(random):
    if random.random() < UNLIKELY:
        return random.choice(("infinity", "-infinity", "294276-12-31 23:59:59.999999",
                              "4713-01-01 00:00:00 BC", "294246-12-31 23:59:59.999999",
                              "294247-01-10 04:00:54.775808", "1969-12-31 23:59:59.999999"))
    date = a_date(random, 294275)
    return f"{date.removesuffix(' BC')} {a_time(random)}{date[-3:] if 'BC' in date else ''}"


def an_interval(random):
    if random.random() < UNLIKELY:
        return random.choice(("178000000 years", "-178000000 years", "0", "00:00:00.000001",
                              "2562047788:00:54.775807", "-2562047788:00:54.775807",
                              "-1 years +2 mons -3 days +04:05:06.7", "106751991 days",
                              "3000000 mons -100000000 days"))
    parts = [f"{random.randint(-most, most)} {unit}" for unit, most in
             (("years", 290), ("mons", 11), ("days", 40000)) if random.random() < 0.6]
    clock = f"{random.choice(('', '-'))}{random.randint(0, 99999)}:{random.randint(0, 59)}:" \
            f"{random.randint(0, 59)}.{random.randint(0, 999999):06}"
    return " ".join(parts + [clock])


def some_bytes(random):
    return "\\x" + random.randbytes(random.choice((0, 1, 2, 3, 50))).hex()


def some_bits(least, most):
    return lambda random: "".join(random.choices("01", k=random.randint(least, most)))


def a_text(random, longest=40):
    if random.random() < UNLIKELY:
        return random.choice(TEXT_EDGES)
    letters = random.choice((random.choice(ALPHABETS), "".join(ALPHABETS)))
    return "".join(random.choices(letters, k=random.randint(0, longest)))


def a_short_text(random):
    return a_text(random, 10)[:10]


def a_long_text(random):
    """Too long for its row, and nothing to compress: PostgreSQL puts it elsewhere."""
    return random.choice((a_text(random), random.randbytes(1500).hex()))


def a_json(random, depth=0):
    kind = random.randint(0, 5 if depth < 3 else 3)
    if kind == 4:
        return [a_json(random, depth + 1) for _ in range(random.randint(0, 3))]
    if kind == 5:
        return {a_text(random): a_json(random, depth + 1) for _ in range(random.randint(0, 3))}
    return (None, random.choice((True, False)), random.randint(-10 ** 20, 10 ** 20),
            a_text(random))[kind]


def json_text(random):
    return json.dumps(a_json(random), ensure_ascii=random.choice((True, False)),
                      indent=random.choice((None, 1)))


def a_uuid(random):
    text = random.randbytes(16).hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


# arrays


def array_literal(nested):
    """{...} with every element quoted, but NULL."""
    if nested is None:
        return "NULL"
    if isinstance(nested, list):
        return "{" + ",".join(map(array_literal, nested)) + "}"
    return '"' + nested.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array_of(make):
    """Up to three dimensions, NULLs, and sometimes bounds that do not start at 1."""
    def element(random):
        return None if random.random() < 0.2 else make(random)

    def nest(random, sizes):
        if len(sizes) == 1:
            return [element(random) for _ in range(sizes[0])]
        return [nest(random, sizes[1:]) for _ in range(sizes[0])]

    def make_array(random):
        sizes = [random.randint(1, 3) for _ in range(random.choice((0, 1, 1, 1, 2, 3)))]
        if not sizes:
            return "{}"
        lows = [random.randint(-3, 3) for _ in sizes]
        bounds = "".join(f"[{low}:{low + size - 1}]" for low, size in zip(lows, sizes))
        return (random.choice(("", "", bounds + "=")) + array_literal(nest(random, sizes)))
    return make_array


def each(read):
    """For every leaf of nested lists."""
    def read_each(value):
        if isinstance(value, list):
            return [read_each(item) for item in value]
        return None if value is None else read(value)
    return read_each


class Column:
    """is_array: its text is asked for as JSON of texts, which PostgreSQL makes of the array."""

    def __init__(self, kind, make, from_text=same, from_json=same):
        self.kind, self.make = kind, make
        self.from_text, self.from_json = from_text, from_json
        self.is_array = False

    def as_array(self):
        array = Column(self.kind + "[]", array_of(self.make), each(self.from_text),
                       each(self.from_json))
        array.is_array = True
        return array

    def read_text(self, text):
        if text is None:
            return None
        return self.from_text(json.loads(text) if self.is_array else text)

    def read_json(self, value):
        return None if value is None else self.from_json(value)

    def selected(self, name):
        """As SQL: what the type's output function writes, which a cast to text need not be."""
        if self.is_array:
            return f"to_json({name}::text[])::text"
        return f"CASE WHEN {name} IS NOT NULL THEN format('%%s', {name}) END"


HUGE = "9" * 131072 + "." + "9" * 16383
SCALARS = {
    "bool": Column("bool", one_of("t", "f"), lambda text: text == "t" or text == "true"),
    "int2": Column("int2", between(-2 ** 15, 2 ** 15 - 1), int),
    "int4": Column("int4", between(-2 ** 31, 2 ** 31 - 1), int),
    "int8": Column("int8", between(-2 ** 63, 2 ** 63 - 1), int),
    "oid": Column("oid", one_of("0", "1", "4294967295", "2147483648"), int),
    "float4": Column("float4", a_float("<f", "1e-45", "1.17549435e-38", "3.4028235e38", "0.001"),
                     single_as_written, single_as_written),
    "float8": Column("float8", a_float("<d", "5e-324", "2.2250738585072014e-308", "1e7",
                                       "1.7976931348623157e308", "0.001", "9999999.999"),
                     float_as_written, float_as_written),
    "numeric": Column("numeric", a_numeric(400, 100, "Infinity", "-Infinity", "0.000", "100",
                                           "-128", "1e-50", "1e60"),
                      decimal_from_text, decimal_from_json(None)),
    "scaled": Column("numeric(20,5)", a_numeric(20, 5, "-0.00001", "999999999999999.99999"),
                     decimal_from_text, decimal_from_json(5)),
    "rounded": Column("numeric(7,-3)", a_numeric(9, 0, "-1234567", "500", "499"),
                      decimal_from_text, decimal_from_json(-3)),
    "tiny": Column("numeric(3,6)", one_of("0.000999", "-0.000001", "0", "NaN"),
                   decimal_from_text, decimal_from_json(6)),
    "money": Column("money", one_of("0", "-0.01", "1234567.89", "-92233720368547758.08"),
                    decimal_from_text, decimal_from_json(2)),
    "date": Column("date", lambda random: random.choice(
        (a_date(random), "infinity", "-infinity")), date_from_text, date_from_json),
    "time": Column("time", a_time, micros_of),
    "time3": Column("time(3)", a_time, micros_of, lambda value: value * 1000),
    "timetz": Column("timetz", lambda random: a_time(random) + a_zone(random), timetz_from_text,
                     lambda value: micros_of(value.removesuffix("Z"))),
    "ts": Column("timestamp", a_moment, counted_timestamp, timestamp_from_json(1)),
    "ts2": Column("timestamp(2)", one_of("2026-01-02 03:04:05.67", "infinity", "-infinity",
                                         "294276-12-31 23:59:59.99",
                                         "1969-12-31 23:59:59.99", "0044-03-15 01:02:03.4 BC"),
                  timestamp_from_text, timestamp_from_json(1000)),
    "tstz": Column("timestamptz", a_moment, timestamp_from_text, timestamptz_from_json),
    "tstz0": Column("timestamptz(0)", lambda random: a_date(random, 9999) + " 12:00",
                    timestamp_from_text, timestamptz_from_json),
    "pause": Column("interval", an_interval, interval_from_text),
    "bytea": Column("bytea", some_bytes, lambda text: bytes.fromhex(text[2:]),
                    lambda value: base64.b64decode(value, validate=True)),
    "bits": Column("bit(13)", some_bits(13, 13), bits_from_text, bits_from_json),
    "flag": Column("bit(1)", some_bits(1, 1), lambda text: text == "1"),
    "varbit": Column("varbit", some_bits(0, 70), bits_from_text, bits_from_json),
    "uuid": Column("uuid", a_uuid),
    "text": Column("text", a_text),
    "long": Column("text", a_long_text),
    "varchar": Column("varchar(10)", a_short_text),
    "bpchar": Column("char(10)", a_short_text),
    "letter": Column('"char"', one_of("a", "", "'", "~")),
    "json": Column("json", json_text),
    "jsonb": Column("jsonb", json_text),
    "inet": Column("inet", one_of("10.0.0.1", "10.0.0.1/8", "::1", "fe80::1/64")),
    "ranged": Column("int4range", one_of("[1,5)", "empty", "(,3]", "[7,)")),
    "mood": Column("mood", one_of("happy", 'sa"d', "it's", "\U0001F600")),
    "price": Column("price", one_of("0", "12.5", "-999999.99"), decimal_from_text,
                    decimal_from_json(2)),
}
ARRAYS = ("bool", "int4", "int8", "float8", "numeric", "scaled", "date", "time", "ts", "tstz",
          "pause", "bytea", "bits", "uuid", "text", "varchar", "json", "mood")
TYPES_SQL = """CREATE TYPE mood AS ENUM ('happy', 'sa"d', 'it''s', '\U0001F600');
CREATE DOMAIN price AS numeric(8, 2);"""


def columns():
    """{name: Column}"""
    made = {f"c_{name}": column for name, column in SCALARS.items()}
    made |= {f"a_{name}": SCALARS[name].as_array() for name in ARRAYS}
    return made
