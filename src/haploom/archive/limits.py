"""How much a block may hold, so that a manifest that lies cannot make a reader take memory without end."""

from haploom.archive.container import Manifest

MOST_RECORDS, MOST_ALLELES, MOST_TEXT_BYTES = 1 << 16, 1 << 28, 1 << 30
FEWEST_RECORDS = 16  # so many may have more alleles than that; one record may have more text
_FIXED_TABS = 7


def check_sizes(manifest: Manifest, header_bytes: int) -> None:
    """Raises ValueError when sizes do not fit each other, or are no block's.

    A block of a neural codec holds all records there are; its sections say the same sizes in other words, and that
    is checked where they are decoded.
    """
    for number, block in enumerate(manifest.blocks):
        n_alleles = 2 * manifest.n_samples * block.n_records
        too_much = (
            block.n_records > MOST_RECORDS
            or (n_alleles > MOST_ALLELES and block.n_records > FEWEST_RECORDS)
            or (block.text_bytes > MOST_TEXT_BYTES and block.n_records > 1)
        )
        if too_much and manifest.model is None:
            raise ValueError(f"block {number} has {block.n_records} records of {block.text_bytes} bytes: too many")
        if block.n_records * (_FIXED_TABS + manifest.n_samples) > block.text_bytes:
            raise ValueError(f"block {number} has {block.n_records} records in {block.text_bytes} bytes")
    n_bytes = header_bytes + sum(block.text_bytes for block in manifest.blocks)
    if n_bytes != manifest.text_bytes:
        raise ValueError(f"the header and the blocks have {n_bytes} bytes of text, not {manifest.text_bytes}")
