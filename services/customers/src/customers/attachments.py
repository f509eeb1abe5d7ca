"""A customer's papers: contracts, certificates, letters."""

from contracts import customers as events
from customers.models import Customer
from tailrace.storage.attachments import AttachmentEvents, Attachments

papers = Attachments(
    Customer,
    AttachmentEvents(
        added=events.CustomerAttachmentAdded,
        replaced=events.CustomerAttachmentReplaced,
        deleted=events.CustomerAttachmentDeleted,
        restored=events.CustomerAttachmentRestored,
        moved=events.CustomerAttachmentMoved,
    ),
)
