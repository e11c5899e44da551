"""Fidelity and privacy of synthetic people, whoever made them."""

from haploom.audit.audit import Audit, AuditSettings, audit_panels

__all__ = ["Audit", "AuditSettings", "audit_panels"]
