"""Ways to pay, and the documents that a receipt has."""

from django.db import models


class Method(models.TextChoices):
    CREDIT_CARD = "credit_card", "Credit card"
    DEBIT_CARD = "debit_card", "Debit card"
    E_TRANSFER = "e_transfer", "e-Transfer"
    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    CASH = "cash", "Cash"
    CHEQUE = "cheque", "Cheque"
    # What was left over of an earlier payment. It brings no money in.
    CREDIT = "credit", "Credit"


# How money comes in, and how it is given back.
MONEY_METHODS = [each for each in Method if each != Method.CREDIT]


class DocumentKind(models.TextChoices):
    """issued → void. A receipt has the first from its issue on, the second once it is voided."""

    ISSUED = "issued", "As issued"
    VOID = "void", "Void"
