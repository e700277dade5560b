//! LISTEN and NOTIFY between sessions of a program.

use std::time::Duration;

use hathi::Database;

#[test]
fn a_program_is_told_between_transactions() {
    let db = Database::in_memory().unwrap();
    let (mut listener, mut sender) = (db.session().unwrap(), db.session().unwrap());
    listener.batch_execute("LISTEN news").unwrap();
    assert!(!listener.wait_for_notification(Duration::from_millis(10)).unwrap());
    let sending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        sender.batch_execute("BEGIN; NOTIFY news, 'one'; NOTIFY other, 'two'; NOTIFY news, 'one'; COMMIT").unwrap();
        sender
    });
    assert!(listener.wait_for_notification(Duration::from_secs(20)).unwrap());
    let mut sender = sending.join().unwrap();
    let told = listener.notifications();
    assert_eq!(told.len(), 1);
    assert_eq!((&*told[0].channel, &*told[0].payload), ("news", "one"));
    listener.batch_execute("BEGIN").unwrap();
    sender.batch_execute("NOTIFY news, 'three'").unwrap();
    assert!(listener.notifications().is_empty());
    listener.batch_execute("COMMIT").unwrap();
    assert_eq!(&*listener.notifications()[0].payload, "three");
    // A waiting session can be cancelled.
    let cancel = listener.cancel_handle();
    let waiting = std::thread::spawn(move || listener.wait_for_notification(Duration::from_secs(60)).unwrap_err());
    std::thread::sleep(Duration::from_millis(50));
    cancel.cancel();
    assert_eq!(waiting.join().unwrap().state().as_str(), "57014");
}
