//! Random and mutated bytes as pages: an error each, and nothing that a check lets pass makes a reader panic.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use types::Physical;

use super::*;
use crate::btree::node;
use crate::table::page::{TablePage, TablePageMut};
use crate::table::{Cell, Layout, overflow, page as table_page};
use crate::wal::record::BlockRef;

const DB: DbId = DbId(3);
const PAGE: PageNo = PageNo(11);

fn cases() -> u32 {
    std::env::var("HATHI_ROBUST_PAGES").ok().and_then(|s| s.parse().ok()).unwrap_or(25_000)
}

#[test]
fn random_bytes_are_no_page() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut bytes = vec![0u8; PageClass::Small.bytes()];
    rng.fill(&mut bytes[..]);
    for _ in 0..cases() {
        let (at, len) = (rng.random_range(0..bytes.len() - 64), rng.random_range(1..64));
        rng.fill(&mut bytes[at..at + len]);
        assert!(matches!(verify(&bytes, DB, PAGE), Err(Error::Corrupt { .. })));
    }
    assert!(verify(&vec![0; PageClass::Small.bytes()], DB, PAGE).is_err());
}

/// Changes some bytes, most of them where structure lies.
fn mutate(rng: &mut ChaCha8Rng, bytes: &mut [u8]) {
    for _ in 0..rng.random_range(1..6) {
        let end = [64, 300, 1500, bytes.len()][rng.random_range(0..4)];
        let at = rng.random_range(24..end);
        // The checksums themselves are stamped anew.
        if (CRC_AT..HEADER_BYTES).contains(&at) {
            continue;
        }
        bytes[at] = match rng.random_range(0..4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ 1 << rng.random_range(0..8),
            _ => rng.random(),
        };
    }
}

#[test]
fn a_changed_page_is_told_by_its_checksum() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut clean = vec![0u8; PageClass::Large.bytes()];
    rng.fill(&mut clean[HEADER_BYTES..]);
    format(&mut clean, PageKind::Table, PageClass::Large, DB, RelId(5), PAGE);
    seal(&mut clean, DB, PAGE);
    assert!(verify(&clean, DB, PAGE).is_ok());
    assert!(verify(&clean, DbId(4), PAGE).is_err() && verify(&clean, DB, PageNo(12)).is_err());
    let mut bytes = clean.clone();
    for _ in 0..4000 {
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= 1 << rng.random_range(0..8);
        assert!(verify(&bytes, DB, PAGE).is_err(), "byte {at}");
        bytes[at] = clean[at];
    }
}

#[test]
fn a_table_page_that_passes_its_check_can_be_read() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let layout = Layout::new(vec![Physical::I32, Physical::Var, Physical::I64, Physical::Var, Physical::Bool]);
    let class = PageClass::Small;
    let capacity = layout.capacity(class, 40);
    let mut clean = vec![0u64; class.bytes() / 8];
    {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut clean);
        table_page::format(bytes, class, DB, RelId(5), PAGE, &layout, capacity);
        let mut page = TablePageMut::new(bytes, &layout);
        for slot in 0..capacity / 2 {
            page.occupy(slot);
            let text: Vec<u8> = (0..rng.random_range(0..60)).map(|_| rng.random()).collect();
            assert!(page.put(slot, 0, &Cell::fixed(&[1, 2, 3, 4])));
            assert!(page.put(slot, 1, &Cell::Var(&text)));
            assert!(page.put(slot, 3, &if slot % 3 == 0 { Cell::Null } else { Cell::Var(b"short") }));
            if slot % 5 == 0 {
                page.set_dead(slot, true);
            }
        }
        assert_eq!(page.as_ref().check(), Ok(()));
    }
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..cases() {
        let mut copy = clean.clone();
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut copy);
        mutate(&mut rng, bytes);
        let page = TablePage::new(bytes, &layout);
        if page.check().is_err() {
            refused += 1;
            continue;
        }
        passed += 1;
        for slot in 0..page.high() {
            if page.is_used(slot) {
                for column in 0..5 {
                    std::hint::black_box(page.cell(slot, column).heap_bytes());
                }
            }
        }
        std::hint::black_box((page.free_slot(), page.total_room(), page.contiguous_room(), page.live()));
    }
    assert!(passed > cases() / 50 && refused > cases() / 50, "{passed} passed, {refused} were refused");
}

#[test]
fn a_node_that_passes_its_check_can_be_searched() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let at = BlockRef { db: DB, rel: RelId(5), block: 2 };
    let (mut passed, mut refused) = (0, 0);
    for level in [0, 1] {
        let mut clean = vec![0u8; PageClass::Small.bytes()];
        node::format(&mut clean, at, PAGE, level);
        node::set_low(&mut clean, b"key 000");
        for i in 0..100u32 {
            let entry = [format!("key {i:03}").as_bytes(), &[0, 0], &i.to_le_bytes()].concat();
            node::insert_at(&mut clean, i as usize, &entry);
        }
        node::set_right(&mut clean, 7, b"key 100");
        node::set_leftmost(&mut clean, 3);
        assert_eq!(node::check(&clean), Ok(()));
        for _ in 0..cases() {
            let mut bytes = clean.clone();
            mutate(&mut rng, &mut bytes);
            if node::check(&bytes).is_err() {
                refused += 1;
                continue;
            }
            passed += 1;
            for i in 0..node::count(&bytes[..]) {
                std::hint::black_box(node::entry(&bytes, i));
            }
            std::hint::black_box((node::low(&bytes), node::high(&bytes), node::leftmost(&bytes)));
            for key in [&b""[..], b"key 050", b"z"] {
                std::hint::black_box((node::lower_bound(&bytes[..], key), node::compare_high(&bytes[..], key)));
                let index = node::child_index(&bytes[..], &node::Sought::new(key), rng.random());
                if node::level(&bytes[..]) > 0 {
                    std::hint::black_box(node::child_at(&bytes[..], index));
                }
            }
            let mut copy = vec![0u8; bytes.len()];
            assert!(node::unpack(&mut copy, &node::pack(&bytes)));
        }
    }
    assert!(passed > cases() / 50 && refused > cases() / 50, "{passed} passed, {refused} were refused");
}

#[test]
fn an_overflow_page_that_passes_its_check_can_be_changed() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut clean = vec![0u8; PageClass::Small.bytes()];
    overflow::format(&mut clean, BlockRef { db: DB, rel: RelId(5), block: 0 }, PAGE);
    for item in 0..20u16 {
        let mut bytes = vec![item as u8; 8 + 100 * item as usize % 700];
        let len = bytes.len() as u16 - 8;
        bytes[..2].copy_from_slice(&len.to_le_bytes());
        overflow::put_item(&mut clean, item, &bytes).unwrap();
    }
    assert_eq!(overflow::check(&clean), Ok(()));
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..cases() {
        let mut bytes = clean.clone();
        mutate(&mut rng, &mut bytes);
        if overflow::check(&bytes).is_err() {
            refused += 1;
            continue;
        }
        passed += 1;
        let item = rng.random_range(0..40);
        overflow::remove_item(&mut bytes, item);
        // So long that the page is compacted: every item is copied.
        let outcome = overflow::put_item(&mut bytes, item, &vec![0; 9000]);
        assert!(outcome.is_ok() || matches!(outcome, Err(Error::Damaged(_))));
    }
    assert!(passed > cases() / 50 && refused > cases() / 50, "{passed} passed, {refused} were refused");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sealing_is_all_that_verifying_asks(db in 1u32..9, page in 0u32..1000, fill in any::<u8>(), large in any::<bool>()) {
        let class = if large { PageClass::Large } else { PageClass::Small };
        let mut bytes = vec![fill; class.bytes()];
        format(&mut bytes, PageKind::Btree, class, DbId(db), RelId(1), PageNo(page));
        seal(&mut bytes, DbId(db), PageNo(page));
        prop_assert!(verify(&bytes, DbId(db), PageNo(page)).is_ok());
        prop_assert!(verify(&bytes, DbId(db + 1), PageNo(page)).is_err());
        prop_assert!(verify(&bytes, DbId(db), PageNo(page + 1)).is_err());
    }
}
