use super::{Fault, SimDisk};
use crate::vfs::Vfs;

#[test]
fn synced_bytes_survive_and_unsynced_ones_may_not() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..200 {
        let disk = SimDisk::new(seed);
        let file = disk.open("f", true).unwrap();
        file.write_all_at(&[1; 4096], 0).unwrap();
        file.sync().unwrap();
        disk.sync_dir("").unwrap();
        file.write_all_at(&[2; 4096], 0).unwrap();
        disk.cut_power();
        assert!(file.len().is_err());
        disk.reboot();
        assert!(file.len().is_err(), "a handle does not outlive the power cut");
        let bytes = disk.read("f").unwrap();
        assert_eq!(bytes.len(), 4096);
        match bytes.iter().filter(|&&b| b == 2).count() {
            0 => lost += 1,
            4096 => kept += 1,
            n => assert_eq!(n % 512, 0, "torn at sector borders"),
        }
    }
    assert!(kept > 20 && lost > 20 && kept + lost < 200, "{kept} {lost}");
}

#[test]
fn unsynced_names_may_be_lost_and_synced_ones_are_not() {
    let outcomes: Vec<bool> = (0..50)
        .map(|seed| {
            let disk = SimDisk::new(seed);
            disk.open("a", true).unwrap();
            disk.sync_dir("").unwrap();
            disk.open("b", true).unwrap();
            disk.cut_power();
            disk.reboot();
            assert!(disk.open("a", false).is_ok());
            disk.open("b", false).is_ok()
        })
        .collect();
    assert!(outcomes.contains(&true) && outcomes.contains(&false));
}

#[test]
fn faults_hit_the_chosen_operation() {
    let disk = SimDisk::new(1);
    let file = disk.open("f", true).unwrap();
    disk.inject(1, Fault::Eio);
    file.write_all_at(b"x", 0).unwrap();
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
    file.sync().unwrap();
    disk.inject(0, Fault::DiskFull);
    file.write_all_at(b"y", 0).unwrap();
    assert_eq!(file.write_all_at(b"yy", 0).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    disk.heal();
    file.write_all_at(b"yy", 0).unwrap();
}
