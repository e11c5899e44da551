"""VCFs that bcftools reads without a word, odd as they are, made by hypothesis."""

from hypothesis import strategies as st

HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=1000>
##contig=<ID=chrX,length=1000>
##contig=<ID=unused>
##INFO=<ID=END,Number=1,Type=Integer,Description="">
##INFO=<ID=AC,Number=A,Type=Integer,Description="">
##INFO=<ID=AF,Number=A,Type=Float,Description="">
##INFO=<ID=CIEND,Number=2,Type=Integer,Description="">
##INFO=<ID=DB,Number=0,Type=Flag,Description="">
##FILTER=<ID=q10,Description="">
##ALT=<ID=DEL,Description="">
##FORMAT=<ID=GT,Number=1,Type=String,Description="">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">
##FORMAT=<ID=AD,Number=.,Type=Integer,Description="">
##FORMAT=<ID=GL,Number=.,Type=Float,Description="">
##FORMAT=<ID=FT,Number=1,Type=String,Description="">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS0\tS1\tS2\tS3
"""
PEOPLE = ("S0", "S1", "S2", "S3")
_ALTS = ["C", ".", "C,G", "<DEL>", "<DEL>,T", "*", "A[22:5[", "CAGT"]
_CALLS = ["0|0", "0|1", "1|0", "0/1", "./.", ".|1", "2/1", ".", "1", "0/1/1", "0|1/1"]
_VALUES = {
    "GT": st.sampled_from(_CALLS[:4]) | st.sampled_from(_CALLS),
    "DP": st.sampled_from([".", "0", "7", "123456"]),
    "AD": st.sampled_from([".", "3", "3,4", "1,.,2"]),
    "GL": st.sampled_from([".", "-0.5,-1e-05", "0.25"]),
    "FT": st.sampled_from([".", "PASS", "low"]),
}
_FORMATS = ["GT", "GT", "GT:DP", "GT:AD:DP:GL:FT", "DP", "AD:FT"]


@st.composite
def records(draw):
    """One record of a VCF that bcftools reads without a word."""
    position = draw(st.integers(1, 60))
    info = [f"END={position + draw(st.integers(0, 40))}"] * draw(st.integers(0, 1))
    info += draw(st.lists(st.sampled_from(["AC=2", "AF=0.25", "CIEND=-1,70", "DB"]), unique=True, max_size=3))
    fixed = [
        draw(st.sampled_from(["22", "22", "chrX"])), str(position), draw(st.sampled_from([".", "rs1"])),
        draw(st.sampled_from(["A", "ACGTACGTAC"])), draw(st.sampled_from(_ALTS)), draw(st.sampled_from([".", "50"])),
        draw(st.sampled_from(["PASS", "q10", "."])), ";".join(draw(st.permutations(info))) or ".",
    ]  # fmt: skip
    keys = draw(st.sampled_from(_FORMATS))
    cells = []
    for _ in PEOPLE:
        values = [draw(_VALUES[key]) for key in keys.split(":")]
        cells.append(":".join(values[: draw(st.sampled_from([len(values), len(values), 1]))]))
    return "\t".join([*fixed, keys, *cells]) + "\n"
