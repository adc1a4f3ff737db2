//! Runs the models.

use models::model;

#[test]
fn records_arrive_once_and_in_order() {
    model::records_arrive_once_and_in_order();
}

#[test]
fn what_ended_is_read_or_dropped() {
    model::what_ended_is_read_or_dropped();
}

#[test]
fn chunks_are_used_again() {
    model::chunks_are_used_again();
}
