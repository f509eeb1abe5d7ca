"""Every invariant by name. The name is what a report shows and what a broken toy refers to."""

from invariants import database, delivery, events, http, naming, personal, source
from invariants.subject import Check, Invariant

_OF_EVERY: tuple[Check, ...] = (
    events.the_manifest_holds_together,
    events.what_the_package_makes_is_in_the_manifest,
    events.only_the_edge_has_no_database,
    events.exceptions_are_written_down,
    source.events_leave_through_the_outbox_alone,
    source.connections_come_from_the_kit,
    source.no_service_imports_another,
    source.routes_leave_writing_to_the_kit,
    source.modules_open_with_their_promise,
    naming.handlers_name_their_arguments_by_the_plan,
    naming.things_stand_in_their_files,
    naming.a_problem_has_one_class,
)
_OF_DATABASES: tuple[Check, ...] = (
    database.migrations_have_one_head,
    database.migrations_make_what_the_models_say,
    database.migrations_make_the_same_from_nothing,
    database.tenant_tables_are_under_forced_row_security,
    database.without_a_tenant_there_are_no_rows,
    database.another_tenant_sees_no_row,
    database.the_tenant_comes_first_in_every_key,
    database.foreign_keys_stay_within_the_tenant,
    database.roles_have_no_more_rights_than_they_need,
    database.nobody_else_can_enter,
    database.what_is_written_stays,
    database.only_the_outboxs_inserts_are_published,
    database.platform_tables_hold_no_personal_data,
    events.every_event_has_a_schema_and_samples_that_parse,
    events.what_is_recorded_is_in_the_manifest,
    events.events_only_grow,
    events.samples_are_up_to_date,
    events.every_listener_has_a_publisher,
    events.listeners_read_every_sample,
    events.a_topic_has_one_publisher,
    delivery.what_is_delivered_twice_has_one_effect,
    delivery.batches_and_bad_records_make_no_difference,
    delivery.no_sample_is_set_aside,
    delivery.projections_record_nothing,
    delivery.what_follows_names_its_cause,
    delivery.changes_need_a_event,
    source.aggregates_are_never_changed_in_bulk,
    source.bodies_forbid_what_they_do_not_know,
    http.every_operation_is_walked,
    http.operations_are_the_kits_or_public_by_manifest,
    http.every_operation_is_exposed,
    http.anonymous_gets_401,
    http.no_scope_gets_403,
    http.another_tenant_gets_404,
    http.unknown_ids_get_404_and_malformed_ones_422,
    http.post_needs_an_idempotency_key,
    http.a_write_is_replayed_under_its_key,
    http.a_key_belongs_to_one_request,
    http.a_stale_if_match_gets_412,
    http.a_version_is_the_etag,
    http.injected_fields_are_refused,
    http.unknown_query_parameters_get_400,
    http.every_error_is_a_problem,
    http.a_read_changes_nothing,
    http.a_write_names_its_events,
    http.trace_context_reaches_the_outbox,
    http.a_list_pages_by_cursor,
    http.live_and_ready_differ,
    naming.operations_are_named_by_the_plan,
    personal.fields_that_name_a_person_are_marked,
    personal.samples_hold_nothing_personal,
    personal.no_log_line_holds_personal_data,
)

INVARIANTS: dict[str, Invariant] = {
    check.__name__: Invariant(check.__name__, check, of)
    for of, checks in (("every", _OF_EVERY), ("database", _OF_DATABASES))
    for check in checks
}
