"""What can be shown to an auditor, as a page, as a document, and with a seal."""
