"""Phone numbers: kept in E.164, said as people read them out."""

import re
from functools import lru_cache

import phonenumbers

HOME_REGION = "CA"
_KEPT = re.compile(r"\+[1-9][0-9]{6,14}(;ext=[0-9]+)?")


@lru_cache(maxsize=1024)
def parsed(number: str) -> phonenumbers.PhoneNumber | None:
    """The number that `number` stands for, read as at home; None when it is none."""
    try:
        return phonenumbers.parse(number, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None


def as_kept(number: str) -> str:
    """The number in E.164, with its extension, however it was typed; empty when it is none."""
    if _KEPT.fullmatch(number):
        return number
    found = parsed(number)
    if found is None or not phonenumbers.is_possible_number(found):
        return ""
    text = str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))
    return f"{text};ext={found.extension}" if found.extension else text


def spoken(number: str) -> str:
    """A phone number as it is read out at home ("416 555 0142"); as it stands when it is none."""
    found = parsed(number)
    if found is None:
        return number
    national = str(found.national_number)
    if found.country_code == 1 and len(national) == 10:
        said = f"{national[:3]} {national[3:6]} {national[6:]}"
        return f"{said} ext. {found.extension}" if found.extension else said
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
