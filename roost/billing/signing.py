"""The signature on a receipt's documents: whoever opens one sees that nothing in it was changed.

One key for an installation, EC P-256 with a certificate that it has signed itself, made by the
first receipt and kept in the data folder. Nothing of it needs a network: docs/adr/0015.
"""

import io
import os
import secrets
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from roost.core.time import now

FILE = "receipt-key.pem"
LASTS = timedelta(days=365 * 30)
FIELD = "Signature"
# Room for a signature in hexadecimal, beside its certificates.
ROOM = 4096


class _Writer(IncrementalPdfFileWriter):
    """Appends to a PDF that stays PDF/A-2: version 1.7 without extensions, and the metadata in
    which it says what it conforms to as typst wrote it."""

    def ensure_output_version(self, version: Any) -> None:
        pass

    def register_extension(self, ext: Any) -> None:
        pass

    def _update_meta(self) -> None:
        pass


def sign(pdf: bytes, *, name: str, says: str) -> bytes:
    """A PDF with the installation's signature, which allows no change to it at all.

    `name` is whose document it is, `says` the field's own name for who has it read out. The page
    stays as it was: the field is unseen, and tagged. Raises OSError for a key that cannot be read.
    """
    writer = _Writer(io.BytesIO(pdf))
    _add_field(writer, says)
    about = signers.PdfSignatureMetadata(
        field_name=FIELD,
        name=name,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    signer = _signer()
    room = ROOM + 2 * sum(len(each.dump()) for each in signer.cert_registry)
    signed = signers.PdfSigner(about, signer=signer).sign_pdf(writer, bytes_reserved=room)
    return bytes(signed.getbuffer())


def _add_field(writer: IncrementalPdfFileWriter, says: str) -> None:
    """An unseen signature field on the first page, tagged as PDF/UA wants each field to be."""
    spec = fields.SigFieldSpec(FIELD, on_page=0, readable_field_name=says)
    fields.append_signature_field(writer, spec)
    field_ref = writer.root["/AcroForm"]["/Fields"].raw_get(0)
    field = field_ref.get_object()
    page_ref = writer.find_page_for_modification(0)[0]
    tree = writer.root["/StructTreeRoot"]
    number = int(tree["/ParentTreeNextKey"])
    document = tree["/K"][0]
    element = generic.DictionaryObject(
        {
            generic.NameObject("/Type"): generic.NameObject("/StructElem"),
            generic.NameObject("/S"): generic.NameObject("/Form"),
            generic.NameObject("/P"): tree["/K"].raw_get(0),
            generic.NameObject("/Pg"): page_ref,
            generic.NameObject("/Alt"): generic.TextStringObject(says),
        }
    )
    element_ref = writer.add_object(element)
    element[generic.NameObject("/K")] = generic.DictionaryObject(
        {
            generic.NameObject("/Type"): generic.NameObject("/OBJR"),
            generic.NameObject("/Obj"): field_ref,
            generic.NameObject("/Pg"): page_ref,
        }
    )
    field[generic.NameObject("/StructParent")] = generic.NumberObject(number)
    document["/K"].append(element_ref)
    tree["/ParentTree"]["/Nums"].extend([generic.NumberObject(number), element_ref])
    tree[generic.NameObject("/ParentTreeNextKey")] = generic.NumberObject(number + 1)
    for changed in (document["/K"], tree, tree["/ParentTree"]["/Nums"]):
        writer.update_container(changed)


@cache
def _signer() -> signers.SimpleSigner:
    """Signs with the first certificate of the key's file; others in it are its chain."""
    text = _key_file()
    key: Any = serialization.load_pem_private_key(text, password=None)
    chain = [
        asn1_x509.Certificate.load(each.public_bytes(serialization.Encoding.DER))
        for each in x509.load_pem_x509_certificates(text)
    ]
    store = SimpleCertificateStore()
    store.register_multiple(chain)
    return signers.SimpleSigner(
        signing_cert=chain[0],
        signing_key=asn1_keys.PrivateKeyInfo.load(
            key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        ),
        cert_registry=store,
    )


def _key_file() -> bytes:
    """The key and its certificate, made once. Of two processes that make them, one's are kept."""
    path = settings.ROOST_DATA_DIR / FILE
    if not path.exists():
        own = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
        try:
            with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_new_key())
                file.flush()
                os.fsync(file.fileno())
            os.link(own, path)
        except FileExistsError:
            pass  # Another process was quicker, and its key is the one.
        finally:
            own.unlink(missing_ok=True)
    return path.read_bytes()


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    host = urlsplit(settings.ROOST_ORIGIN).hostname or "this installation"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Receipts of {host}"[:64])])
    usage = {each: each in ("digital_signature", "content_commitment") for each in _KEY_USAGES}
    moment = now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is put back a little must not make the first receipts invalid.
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


_KEY_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
