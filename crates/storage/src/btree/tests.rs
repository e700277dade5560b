use std::collections::BTreeSet;
use std::sync::Arc;

use env::Env;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::node;
use super::*;
use crate::ids::{DbId, PageNo, RelId, RowId};
use crate::relation::{Persistence, RelKind, RelMeta};
use crate::wal::record::BlockRef;
use crate::{Engine, Options};

type Model = BTreeSet<(Vec<u8>, [u8; 6])>;

fn tree(pool_pages: usize) -> (Arc<Engine>, Btree) {
    carrying(pool_pages, Vec::new())
}

/// A tree whose entries carry values of these forms.
fn carrying(pool_pages: usize, forms: Vec<types::Physical>) -> (Arc<Engine>, Btree) {
    let options = Options { pool_bytes: pool_pages << 14, units_max: 8192, background: false, ..Options::default() };
    let engine = Engine::open(Env::in_memory(), options).unwrap();
    let db = engine.create_database().unwrap();
    let mut txn = engine.begin(engine.new_owner(), engine.new_interrupt());
    let meta = RelMeta::new(RelId(100), RelKind::Btree, Persistence::Permanent, forms);
    let rel = db.create_relation(&mut txn, meta).unwrap();
    txn.commit(true).unwrap();
    (engine, Btree::new(db, rel))
}

/// Keys of every length, often with long common beginnings, sometimes one the beginning of another.
fn key(rng: &mut ChaCha8Rng, long: bool) -> Vec<u8> {
    let common = [0usize, 0, 3, 40, 700][rng.random_range(0..if long { 5 } else { 4 })];
    let mut key = vec![b'k'; common];
    let rest = match rng.random_range(0..20) {
        0 => 0,
        1 if long => rng.random_range(0..KEY_BYTES_MAX - common),
        _ => rng.random_range(1..12),
    };
    key.extend((0..rest).map(|_| [0u8, 1, b'k', 0xfe, 0xff][rng.random_range(0..5)]));
    key
}

fn row(rng: &mut ChaCha8Rng) -> RowId {
    RowId { block: rng.random_range(0..3), slot: rng.random_range(0..3) }
}

/// What a scan of the model yields.
fn expected(model: &Model, bounds: &ScanBounds) -> Vec<(Vec<u8>, [u8; 6])> {
    let whole = |(key, row): &(Vec<u8>, [u8; 6])| [&key[..], row].concat();
    let mut entries: Vec<_> = model
        .iter()
        .filter(|e| whole(e) >= bounds.lower && bounds.upper.as_ref().is_none_or(|u| whole(e) < *u))
        .cloned()
        .collect();
    entries.sort_by_key(whole);
    entries
}

fn scan(tree: &Btree, mut bounds: ScanBounds, direction: Direction) -> Vec<(Vec<u8>, [u8; 6])> {
    let (mut batch, mut found) = (EntryBatch::default(), Vec::new());
    loop {
        let more = tree.scan(&mut bounds, direction, &mut batch).unwrap();
        found.extend((0..batch.len()).map(|i| (batch.get(i).0.to_vec(), batch.get(i).1.to_bytes())));
        if !more {
            return found;
        }
    }
}

#[test]
fn a_tree_holds_what_a_sorted_set_holds() {
    for seed in 0..30 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let long = seed % 3 != 0;
        let (engine, tree) = tree(rng.random_range(8..64));
        let mut model = Model::new();
        // Grows, then shrinks, then grows again.
        for round in 0..1500 {
            let grow = !(500..900).contains(&round);
            let (key, row) = (key(&mut rng, long), row(&mut rng));
            if rng.random_bool(if grow { 0.8 } else { 0.2 }) {
                let was = tree.insert(&key, row).unwrap();
                assert_eq!(was, !model.insert((key, row.to_bytes())), "seed {seed}: revived");
            } else {
                let victim = model.iter().nth(rng.random_range(0..model.len().max(1))).cloned();
                let (key, row) = victim.unwrap_or((key, row.to_bytes()));
                let keep = rng.random_range(0..5) == 0;
                tree.remove_unless(&key, RowId::from_bytes(row), || keep).unwrap();
                if !keep {
                    model.remove(&(key, row));
                }
            }
            if round % 50 == 49 {
                let bounds = match rng.random_range(0..3) {
                    0 => ScanBounds::default(),
                    1 => ScanBounds::prefix(&self::key(&mut rng, false)),
                    _ => ScanBounds { lower: self::key(&mut rng, long), upper: Some(self::key(&mut rng, long)) },
                };
                let mut wanted = expected(&model, &bounds);
                assert_eq!(scan(&tree, bounds.clone(), Direction::Forward), wanted, "seed {seed} {bounds:?}");
                wanted.reverse();
                assert_eq!(scan(&tree, bounds.clone(), Direction::Backward), wanted, "seed {seed} {bounds:?}");
            }
        }
        assert_eq!(tree.check().unwrap(), [], "seed {seed}");
        engine.close().unwrap();
    }
}

#[test]
fn runs_go_in_as_their_entries_would_one_by_one() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let unique = seed % 2 == 0;
        let (engine, tree) = tree(rng.random_range(8..64));
        let mut model = Model::new();
        let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
        for round in 0..60 {
            run.clear();
            let mut wanted = Vec::new();
            for number in 0..rng.random_range(1..300) {
                // Unique keys are self-delimiting: of one length here.
                let key = match unique {
                    true => rng.random_range(0..60_000u32).to_be_bytes().to_vec(),
                    false => key(&mut rng, seed % 3 == 0),
                };
                let row = row(&mut rng);
                run.push(&key, row, number);
                wanted.push((key, row.to_bytes()));
            }
            run.sort();
            tree.insert_run(&run, unique, &mut outcomes).unwrap();
            assert_eq!(outcomes.len(), run.len());
            for (i, outcome) in outcomes.iter().enumerate() {
                let entry = (run.key(i).to_vec(), run.row(i).to_bytes());
                assert_eq!(entry, wanted[run.number(i) as usize]);
                match outcome {
                    Added::New => {
                        let taken = unique && model.iter().any(|e| e.0 == entry.0);
                        assert!(!taken && model.insert(entry), "seed {seed} round {round}: {i} is not new");
                    }
                    Added::Revived => assert!(!unique && model.contains(&entry), "seed {seed} round {round}"),
                    // A key at the edge of a leaf may be refused without need; what matters is that it is not added.
                    Added::Shared => assert!(unique, "seed {seed} round {round}"),
                }
            }
            let refused = outcomes.iter().filter(|o| **o == Added::Shared).count();
            let taken = (0..run.len()).filter(|&i| model.iter().filter(|e| e.0 == run.key(i)).count() > 0).count();
            assert!(refused <= taken + 8, "seed {seed} round {round}: {refused} refused, {taken} taken");
            if round % 10 == 9 {
                for _ in 0..model.len() / 2 {
                    let victim = model.iter().nth(rng.random_range(0..model.len())).cloned().unwrap();
                    tree.remove_unless(&victim.0, RowId::from_bytes(victim.1), || false).unwrap();
                    model.remove(&victim);
                }
            }
        }
        assert_eq!(scan(&tree, ScanBounds::default(), Direction::Forward), expected(&model, &ScanBounds::default()));
        assert_eq!(tree.check().unwrap(), [], "seed {seed}");
        engine.close().unwrap();
    }
}

#[test]
fn ascending_and_descending_loads_fill_and_read_back() {
    for descending in [false, true] {
        let (_engine, tree) = tree(256);
        let n = 20_000u32;
        for i in 0..n {
            let i = if descending { n - 1 - i } else { i };
            tree.insert(&i.to_be_bytes(), RowId { block: i, slot: 0 }).unwrap();
        }
        let all = scan(&tree, ScanBounds::default(), Direction::Forward);
        assert!(all.iter().enumerate().all(|(i, e)| e.0 == (i as u32).to_be_bytes()) && all.len() == n as usize);
        assert_eq!(tree.check().unwrap(), []);
        if !descending {
            // Packed: what follows two bytes that all of a leaf share. Nearly full nodes.
            assert!(tree.rel().blocks() < 20_000 * 8 / (16 << 10) + 4, "{} blocks", tree.rel().blocks());
        }
    }
}

#[test]
fn a_fence_has_room_in_a_leaf_that_is_packed_to_the_brim() {
    // Fences tell rows of one key apart: they are longer than what is stored of the entry that makes room for them.
    for len in 0..30 {
        let (_engine, tree) = tree(256);
        let key = vec![b'k'; len];
        for row in 0..9000u32 {
            tree.insert(&key, RowId { block: row / 7, slot: (row % 7) as u16 }).unwrap();
        }
        assert_eq!(tree.check().unwrap(), []);
        assert_eq!(scan(&tree, ScanBounds::default(), Direction::Forward).len(), 9000);
    }
}

#[test]
fn packed_leaves_take_entries_of_any_length() {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (_engine, tree) = tree(256);
        let mut model = Model::new();
        // Of one length, with few or many bytes in common; leaves are full and packed.
        let spread = [1, 300, 70_000][rng.random_range(0..3)];
        let whole = |i: u64| (i * spread).to_be_bytes().to_vec();
        for i in 0..8000 {
            let row = row(&mut rng);
            tree.insert(&whole(i), row).unwrap();
            model.insert((whole(i), row.to_bytes()));
        }
        let packed = tree.rel().blocks();
        // Of others, one by one and in runs: into the middle of full leaves, and below and above all.
        let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
        for round in 0..40 {
            let mut key = match rng.random_range(0..10) {
                0 => vec![0xff; rng.random_range(1..20)],
                1 => vec![0; rng.random_range(0..12)],
                _ => whole(rng.random_range(0..8000)),
            };
            match rng.random_range(0..3) {
                0 => key.truncate(rng.random_range(0..9)),
                1 => key.extend((0..rng.random_range(0..30)).map(|_| rng.random::<u8>())),
                _ => key.extend([0; 600]),
            }
            let row = row(&mut rng);
            if round % 2 == 0 {
                assert_eq!(tree.insert(&key, row).unwrap(), !model.insert((key, row.to_bytes())));
                continue;
            }
            run.clear();
            for slot in 0..300 {
                let row = RowId { block: 9, slot };
                run.push(&key, row, slot.into());
                model.insert((key.clone(), row.to_bytes()));
            }
            run.sort();
            tree.insert_run(&run, false, &mut outcomes).unwrap();
        }
        assert_eq!(tree.check().unwrap(), [], "seed {seed}");
        for direction in [Direction::Forward, Direction::Backward] {
            let mut wanted = expected(&model, &ScanBounds::default());
            if direction == Direction::Backward {
                wanted.reverse();
            }
            assert!(scan(&tree, ScanBounds::default(), direction) == wanted, "seed {seed} {direction:?}");
        }
        // All that are not of that length go again, and most of the others: what is written anew is packed.
        let odd: Vec<_> = model.iter().filter(|e| e.0.len() != 8 || rng.random_bool(0.9)).cloned().collect();
        for (key, row) in odd {
            tree.remove_unless(&key, RowId::from_bytes(row), || false).unwrap();
            model.remove(&(key, row));
        }
        for i in 0..8000 {
            tree.insert(&whole(i), RowId { block: 5, slot: 5 }).unwrap();
            model.insert((whole(i), RowId { block: 5, slot: 5 }.to_bytes()));
        }
        assert_eq!(tree.check().unwrap(), [], "seed {seed}");
        assert!(scan(&tree, ScanBounds::default(), Direction::Forward) == expected(&model, &ScanBounds::default()));
        let mut singles = 0;
        for i in 0..8000 {
            let wanted = model.range((whole(i), [0; 6])..=(whole(i), [0xff; 6])).count();
            let found = tree.single(&whole(i)).unwrap();
            // At the end of a leaf it may not be known.
            assert!(found != Single::None && (wanted == 1 || found == Single::Unclear), "seed {seed} {i}");
            singles += usize::from(found != Single::Unclear);
        }
        assert!(singles > 1000, "{singles} are known to be single");
        assert!(packed < 60, "{packed} blocks for 8000 entries");
    }
}

#[test]
fn a_key_that_is_too_long_is_refused() {
    let (_engine, tree) = tree(64);
    let row = RowId { block: 1, slot: 1 };
    assert!(tree.insert(&vec![1; KEY_BYTES_MAX + 1], row).is_err());
    for i in 0..50 {
        let mut key = vec![i; KEY_BYTES_MAX];
        key[0] = 7;
        tree.insert(&key, row).unwrap();
    }
    assert_eq!(tree.check().unwrap(), []);
    assert_eq!(scan(&tree, ScanBounds::default(), Direction::Backward).len(), 50);
}

#[test]
fn a_node_survives_packing_and_the_check_sees_disorder() {
    let mut bytes = vec![0u8; 16 << 10];
    let at = BlockRef { db: DbId(1), rel: RelId(2), block: 3 };
    node::format(&mut bytes, at, PageNo(9), 0);
    node::set_low(&mut bytes, b"a");
    for (i, key) in [b"aa-row-1".as_slice(), b"ab-row-2", b"ba-row-3", b"bb-row-4"].iter().enumerate() {
        node::insert_at(&mut bytes, i, key);
    }
    node::set_right(&mut bytes, 12, b"c");
    node::remove_at(&mut bytes, 1);
    assert_eq!(node::check(&bytes), Ok(()));
    let mut copy = vec![1u8; 16 << 10];
    assert!(node::unpack(&mut copy, &node::pack(&bytes)));
    assert_eq!(node::check(&copy), Ok(()));
    let entries = |b: &[u8]| (0..node::count(b)).map(|i| node::entry(b, i).to_vec()).collect::<Vec<_>>();
    assert_eq!(entries(&copy), [b"aa-row-1", b"ba-row-3", b"bb-row-4"]);
    assert_eq!((node::low(&copy), node::high(&copy), node::right(&copy[..])), (&b"a"[..], Some(&b"c"[..]), Some(12)));
    node::insert_at(&mut copy, 3, b"ab-row-2");
    assert!(node::check(&copy).unwrap_err().starts_with("T1"));
    let mut above = bytes.clone();
    node::insert_at(&mut above, 3, b"cc-row-5");
    assert!(node::check(&above).unwrap_err().starts_with("T1"));
}

/// Keys of which many begin alike, some with others, of up to nine bytes.
fn alike(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let start = [&b""[..], b"same", b"same start "][rng.random_range(0..3)];
    let rest = (0..rng.random_range(0..6)).map(|_| [0, 1, 0x7f, 0xff][rng.random_range(0..4)]);
    start.iter().copied().chain(rest).collect()
}

#[test]
fn searches_find_the_place_whatever_keys_have_in_common() {
    let mut rng = ChaCha8Rng::seed_from_u64(41);
    let at = BlockRef { db: DbId(1), rel: RelId(2), block: 3 };
    for round in 0..400 {
        let level = (round % 2) as u8;
        // Children whose bytes would be taken for a key's, if they were looked at.
        let behind = |key: &[u8], rng: &mut ChaCha8Rng| match level {
            0 => [key, &[7; 6][..]].concat(),
            _ => [key, &rng.random_range(1..u32::MAX).to_le_bytes()].concat(),
        };
        let mut bytes = vec![0u8; 16 << 10];
        node::format(&mut bytes, at, PageNo(9), level);
        let mut model = BTreeSet::new();
        for _ in 0..rng.random_range(0..60) {
            let entry = behind(&alike(&mut rng), &mut rng);
            let key = |e: &[u8]| e[..e.len() - 4 * usize::from(level)].to_vec();
            let place = model.iter().filter(|k| **k < key(&entry)).count();
            assert_eq!(node::lower_bound(&bytes[..], &key(&entry)), place);
            if model.insert(key(&entry)) {
                node::insert_at(&mut bytes, place, &entry);
            } else if rng.random_range(0..3) == 0 {
                node::remove_at(&mut bytes, place);
                model.remove(&key(&entry));
            }
            assert_eq!(node::check(&bytes), Ok(()));
        }
        let model: Vec<Vec<u8>> = model.into_iter().collect();
        for _ in 0..60 {
            let wanted = alike(&mut rng);
            assert_eq!(node::lower_bound(&bytes[..], &wanted), model.partition_point(|k| *k < wanted));
        }
        if model.len() > 4 {
            node::truncate(&mut bytes, 3, 12, &model[3]);
            assert_eq!(node::check(&bytes), Ok(()));
            for (i, wanted) in model[..3].iter().enumerate() {
                assert_eq!(node::lower_bound(&bytes[..], wanted), i);
            }
        }
    }
}

#[test]
fn searches_find_the_place_wherever_it_is_guessed() {
    let at = BlockRef { db: DbId(1), rel: RelId(2), block: 3 };
    // In step, in ever larger steps, in clusters, nearly all at one end.
    let number = |shape: u32, i: u32| match shape {
        0 => 7 + i * 5,
        1 => i * i,
        2 => ((i / 50) << 20) | (i % 50),
        _ => {
            if i < 2 {
                i
            } else {
                u32::MAX - 600 + i
            }
        }
    };
    for shape in 0..4 {
        for count in [1, 2, 15, 16, 17, 18, 40, 500] {
            let mut bytes = vec![0u8; 16 << 10];
            node::format(&mut bytes, at, PageNo(9), 0);
            let numbers: Vec<u32> = (0..count).map(|i| number(shape, i)).collect();
            for (i, number) in numbers.iter().enumerate() {
                node::insert_at(&mut bytes, i, &[&[1][..], &number.to_be_bytes(), &[0, 0, 0, 9, 0, 1]].concat());
            }
            assert_eq!(node::check(&bytes), Ok(()));
            for &near in &numbers {
                for wanted in near.saturating_sub(2)..=near.saturating_add(2) {
                    let key = [&[1][..], &wanted.to_be_bytes()].concat();
                    let place = numbers.partition_point(|n| *n < wanted);
                    assert_eq!(node::lower_bound(&bytes[..], &key), place, "{shape} {count} {wanted}");
                    let is_there = numbers.get(place) == Some(&wanted);
                    let found = node::only_beginning_with(&bytes[..], &node::Sought::new(&key));
                    let behind = key.len().checked_sub(usize::from(bytes[31]));
                    let all_in_heads = behind.is_some_and(|rest| (1..=4).contains(&rest));
                    let wanted_found = is_there && place + 1 < numbers.len() && all_in_heads;
                    assert_eq!(found, wanted_found.then_some(place), "{shape} {count} {wanted}");
                }
            }
        }
    }
}

#[test]
fn a_single_entry_is_told_from_several() {
    let (_engine, tree) = tree(64);
    let row = |i: u32| RowId { block: i + 70_000, slot: i as u16 };
    // Keys of two columns, so that leaves end in the middle of the first one's values.
    let key = |i: u32, j: u32| [&b"k"[..], &i.to_be_bytes(), &j.to_be_bytes()].concat();
    for i in 0..4000 {
        tree.insert(&key(i / 3, i % 3), row(i)).unwrap();
    }
    for i in 0..4000 {
        assert_eq!(tree.single(&key(i / 3, i % 3)).unwrap(), Single::One(row(i)));
        assert_eq!(tree.single(&key(i / 3, i % 3)[..5]).unwrap(), Single::Unclear);
        assert_eq!(tree.single(&key(i / 3, 3)).unwrap(), Single::None);
    }
    tree.insert(&key(7, 1), row(1)).unwrap();
    assert_eq!(tree.single(&key(7, 1)).unwrap(), Single::Unclear);
    // Keys that heads have all of.
    let key = |i: u32| [&[1][..], &i.to_be_bytes()].concat();
    for i in 0..4000 {
        tree.insert(&key(i * 3), row(i)).unwrap();
    }
    for i in (0..4000).step_by(100) {
        tree.insert(&key(i * 3), row(i + 9)).unwrap();
    }
    for i in 0..4000 {
        let wanted = if i % 100 == 0 { Single::Unclear } else { Single::One(row(i)) };
        assert_eq!(tree.single(&key(i * 3)).unwrap(), wanted);
        assert_eq!(tree.single(&key(i * 3 + 1)).unwrap(), Single::None);
        assert_eq!(tree.single(&key(i * 3)[..4]).unwrap(), Single::Unclear);
    }
    assert_eq!(tree.single(&[1]).unwrap(), Single::Unclear);
    assert_eq!(tree.single(&[2]).unwrap(), Single::None);
}

#[test]
fn separators_are_the_shortest_that_divide() {
    let cases: [(&[u8], &[u8], &[u8]); 4] =
        [(b"abc", b"abd", b"abd"), (b"a", b"zzzz", b"z"), (b"ab", b"abxyz", b"abx"), (b"", b"q", b"q")];
    for (left, right, wanted) in cases {
        let found = node::separator(left, right);
        assert_eq!(found, wanted);
        assert!(left < found && found <= right);
    }
}

#[test]
fn carried_values_are_no_part_of_a_key() {
    use types::{Datum, Physical};

    let (_engine, tree) = carrying(64, vec![Physical::Var, Physical::I32]);
    let entry = |key: &[u8], text: &str, number: Datum| {
        let mut entry = key.to_vec();
        tree.carry(&mut entry, [Datum::text(text), number]);
        assert_eq!(tree.bare(&entry), key);
        entry
    };
    let row = |n: usize| RowId { block: 1, slot: n as u16 };
    let number = |n: usize| if n.is_multiple_of(3) { Datum::Null } else { Datum::I32(n as i32) };
    // Self-delimiting keys, as unique ones are; the texts are long, so that leaves split between them too.
    let key = |n: usize| vec![2, (n / 250) as u8, (n % 250) as u8, 1];
    for n in 0..2000 {
        let text = "x".repeat(n % 300);
        assert_eq!(tree.insert_unique(&entry(&key(n), &text, number(n)), row(n)).unwrap(), Added::New, "{n}");
        for other in ["", "w", "z"] {
            let shared = tree.insert_unique(&entry(&key(n), other, Datum::I32(-1)), row(n + 1)).unwrap();
            assert_eq!(shared, Added::Shared, "{n}");
        }
    }
    // An entry with the same key and other values is another one, beside it.
    assert!(!tree.insert(&entry(&key(5), "y", number(5)), row(5)).unwrap());
    assert!(tree.insert(&entry(&key(5), "y", number(5)), row(5)).unwrap());
    let found = scan(&tree, ScanBounds::prefix(&key(5)), Direction::Backward);
    assert_eq!(found.len(), 2);
    for (entry, _) in scan(&tree, ScanBounds::prefix(&[]), Direction::Forward) {
        let mut values = Vec::new();
        tree.each_carried(&entry, |i, cell| values.push(cell.datum(tree.carries()[i]).unwrap())).unwrap();
        assert!(matches!(&values[..], [Datum::Var(_), Datum::I32(_) | Datum::Null]), "{values:?}");
    }
    assert_eq!(tree.check().unwrap(), []);
    // What is not what the relation says is told.
    tree.insert(&key(1999), row(1)).unwrap();
    assert_eq!(tree.check().unwrap().len(), 1);
}

#[test]
fn a_settled_leaf_is_unsettled_by_a_change() {
    let (_engine, tree) = tree(64);
    let row = |n: u16| RowId { block: 0, slot: n };
    assert!((0..5).all(|n| !tree.insert(&[n as u8 + 1, 1], row(n)).unwrap()));
    let look = || {
        let (mut batch, mut leaf) = (EntryBatch::default(), Leaf::default());
        tree.scan_leaf(&mut ScanBounds::default(), Direction::Forward, &mut batch, &mut leaf).unwrap();
        assert_eq!((batch.len(), leaf.bounds().lower), (leaf.entries(), Vec::new()));
        leaf
    };
    let first = look();
    assert_eq!(first.settled(), None);
    tree.settle(&first);
    let since = look().settled().unwrap();
    // Time goes on with each look, and whoever settles later knows more.
    let second = look();
    tree.settle(&second);
    assert!(look().settled().unwrap() > since);
    // A page that is latched for a change after the moment is not unchanged since; a look changes nothing.
    let page = tree.rel().locate(0).unwrap().0;
    let moment = tree.db().space.moment();
    assert!(tree.db().space.is_unchanged(page, moment));
    let third = look();
    tree.insert(&[9, 1], row(9)).unwrap();
    assert!(!tree.db().space.is_unchanged(page, moment));
    assert_eq!(look().settled(), None);
    // What was seen before the change settles nothing.
    tree.settle(&third);
    assert_eq!(look().settled(), None);
}
