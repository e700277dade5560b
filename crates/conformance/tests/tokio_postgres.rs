//! A session of tokio-postgres: statements that are sent before the answers to earlier ones are there, COPY in both directions, cancel,
//! notifications, transactions.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use conformance::Served;
use futures::{SinkExt, StreamExt, TryStreamExt, future};
use tokio::sync::mpsc;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, Error, IsolationLevel, NoTls, Notification, SimpleQueryMessage};

type Outcome = Result<(), Error>;

/// A connection, and what it is told without having asked.
async fn connect(served: &Served) -> (Client, mpsc::UnboundedReceiver<Notification>) {
    let config: Config = served.url("postgres").parse().unwrap();
    let (client, mut connection) = config.connect(NoTls).await.unwrap();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = futures::stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(n) = message {
                let _ = tell.send(n);
            }
        }
    });
    (client, told)
}

fn code(error: &Error) -> &SqlState {
    error.code().unwrap_or_else(|| panic!("not an error of the server: {error}"))
}

async fn pipelines(c: &Client) -> Outcome {
    c.batch_execute("CREATE TABLE item (id int PRIMARY KEY, name text)").await?;
    let insert = c.prepare("INSERT INTO item VALUES ($1, $2)").await?;
    assert_eq!(insert.params(), [Type::INT4, Type::TEXT]);
    let names: Vec<String> = (0..200).map(|n| format!("item {n}")).collect();
    let inserts = names.iter().zip(0i32..).map(|(name, id)| {
        let insert = &insert;
        async move { c.execute(insert, &[&id, name]).await }
    });
    assert_eq!(future::try_join_all(inserts).await?, vec![1; 200]);
    // Statements of different kinds, none of which has been prepared.
    let (rows, none, said) = future::try_join3(
        c.query("SELECT name FROM item WHERE id = ANY ($1) ORDER BY id", &[&vec![3, 5]]),
        c.query_opt("SELECT name FROM item WHERE id = $1", &[&-1]),
        c.simple_query("SELECT 1 AS a; SELECT count(*) FROM item"),
    )
    .await?;
    assert_eq!(rows.iter().map(|r| r.get(0)).collect::<Vec<&str>>(), ["item 3", "item 5"]);
    assert!(none.is_none());
    let counted = said.iter().filter_map(|m| if let SimpleQueryMessage::Row(row) = m { row.get(0) } else { None });
    assert_eq!(counted.collect::<Vec<_>>(), ["1", "200"]);
    // One that fails between others fails alone: each has its own Sync.
    let divide = c.prepare("SELECT 100 / $1::int").await?;
    let answers = future::join_all([5i32, 0, 4].map(|by| {
        let divide = &divide;
        async move { c.query_one(divide, &[&by]).await.map(|row| row.get::<_, i32>(0)) }
    }));
    let answers = answers.await;
    assert_eq!((answers[0].as_ref().ok(), answers[2].as_ref().ok()), (Some(&20), Some(&25)));
    assert_eq!(code(answers[1].as_ref().unwrap_err()), &SqlState::DIVISION_BY_ZERO);
    // Rows as they come; the rest of them is not wanted.
    let rows = c.query_raw("SELECT i FROM generate_series(1, 100000) AS i", std::iter::empty::<i32>()).await?;
    let first: Vec<i32> = rows.take(3).map(|row| row.unwrap().get::<_, i32>(0)).collect().await;
    assert_eq!(first, [1, 2, 3]);
    let typed = c.query_typed("SELECT $1 || 'x', $2 + 1", &[(&"a", Type::TEXT), (&41i64, Type::INT8)]).await?;
    assert_eq!((typed[0].get::<_, &str>(0), typed[0].get::<_, i64>(1)), ("ax", 42));
    Ok(())
}

async fn copies(c: &Client) -> Outcome {
    c.batch_execute("CREATE TABLE copied (a int, b text, c float8)").await?;
    let sink = c.copy_in("COPY copied FROM STDIN (FORMAT csv)").await?;
    futures::pin_mut!(sink);
    for n in 0..1000 {
        sink.send(Bytes::from(format!("{n},\"a \"\"{n}\"\"\",\n"))).await?;
    }
    assert_eq!(sink.finish().await?, 1000);
    let types = [Type::INT4, Type::TEXT, Type::FLOAT8];
    let writer = BinaryCopyInWriter::new(c.copy_in("COPY copied FROM STDIN BINARY").await?, &types);
    futures::pin_mut!(writer);
    for n in 1000..2000i32 {
        writer.as_mut().write(&[&n, &None::<&str>, &(f64::from(n) / 4.0)]).await?;
    }
    assert_eq!(writer.finish().await?, 1000);
    let text = c.copy_out("COPY (SELECT a, b FROM copied WHERE a IN (7, 1998) ORDER BY a) TO STDOUT").await?;
    let text = text.try_fold(BytesMut::new(), |mut all, part| async move {
        all.extend_from_slice(&part);
        Ok(all)
    });
    assert_eq!(text.await?, "7\ta \"7\"\n1998\t\\N\n");
    let rows = BinaryCopyOutStream::new(c.copy_out("COPY copied TO STDOUT BINARY").await?, &types);
    let rows: Vec<_> = rows.try_collect().await?;
    assert_eq!(rows.len(), 2000);
    assert_eq!((rows[1999].get::<i32>(0), rows[1999].get::<f64>(2)), (1999, 499.75));
    // Bad data, and a sink that is dropped before it is finished.
    let sink = c.copy_in("COPY copied FROM STDIN").await?;
    futures::pin_mut!(sink);
    sink.send(Bytes::from_static(b"one\ttwo\t3\n")).await?;
    assert_eq!(code(&sink.finish().await.unwrap_err()), &SqlState::INVALID_TEXT_REPRESENTATION);
    drop(c.copy_in::<_, Bytes>("COPY copied FROM STDIN").await?);
    assert_eq!(c.query_one("SELECT count(*) FROM copied", &[]).await?.get::<_, i64>(0), 2000);
    Ok(())
}

async fn transactions(c: &mut Client) -> Outcome {
    let count = "SELECT count(*) FROM item";
    let mut outer = c.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().await?;
    assert_eq!(outer.execute("DELETE FROM item WHERE id >= 100", &[]).await?, 100);
    let inner = outer.savepoint("within").await?;
    let twice = inner.execute("INSERT INTO item VALUES (1, 'again')", &[]).await.unwrap_err();
    assert_eq!(twice.as_db_error().unwrap().constraint(), Some("item_pkey"));
    assert_eq!(code(&inner.query(count, &[]).await.unwrap_err()), &SqlState::IN_FAILED_SQL_TRANSACTION);
    inner.rollback().await?;
    // A portal in portions, with another statement in between.
    let portal = outer.bind("SELECT id FROM item ORDER BY id", &[]).await?;
    assert_eq!(outer.query_portal(&portal, 60).await?.len(), 60);
    assert_eq!(outer.execute("DELETE FROM item", &[]).await?, 100);
    assert_eq!(outer.query_portal(&portal, 60).await?.last().unwrap().get::<_, i32>(0), 99);
    drop(outer);
    assert_eq!(c.query_one(count, &[]).await?.get::<_, i64>(0), 200);
    let reader = c.build_transaction().read_only(true).start().await?;
    let refused = reader.execute("DELETE FROM item", &[]).await.unwrap_err();
    assert_eq!(code(&refused), &SqlState::READ_ONLY_SQL_TRANSACTION);
    reader.rollback().await?;
    let writer = c.transaction().await?;
    writer.execute("DELETE FROM item WHERE id = 0", &[]).await?;
    writer.commit().await?;
    assert_eq!(c.query_one(count, &[]).await?.get::<_, i64>(0), 199);
    Ok(())
}

async fn cancel(c: &Client) -> Outcome {
    let token = c.cancel_token();
    let slow = c.query("SELECT pg_sleep(60)", &[]);
    let (slow, cancelled) = future::join(slow, async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        token.cancel_query(NoTls).await
    })
    .await;
    cancelled?;
    assert_eq!(code(&slow.unwrap_err()), &SqlState::QUERY_CANCELED);
    // When nothing runs it cancels nothing.
    token.cancel_query(NoTls).await?;
    assert_eq!(c.query_one("SELECT 1", &[]).await?.get::<_, i32>(0), 1);
    Ok(())
}

async fn notifications(served: &Served, c: &mut Client, told: &mut mpsc::UnboundedReceiver<Notification>) -> Outcome {
    let (other, _) = connect(served).await;
    c.batch_execute("LISTEN news; LISTEN \"Other News\"").await?;
    other.batch_execute("NOTIFY news, 'one'").await?;
    other.batch_execute("BEGIN; NOTIFY news, 'never'; ROLLBACK").await?;
    other.execute("SELECT pg_notify('Other News', $1)", &[&"two"]).await?;
    let own = c.transaction().await?;
    own.batch_execute("NOTIFY news, 'three'").await?;
    own.commit().await?;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let next = tokio::time::timeout(Duration::from_secs(10), told.recv()).await.expect("it comes").unwrap();
        heard.push((next.channel().to_owned(), next.payload().to_owned()));
    }
    let wanted = [("news", "one"), ("Other News", "two"), ("news", "three")];
    assert_eq!(heard, wanted.map(|(channel, payload)| (channel.to_owned(), payload.to_owned())));
    Ok(())
}

#[tokio::test]
async fn tokio_postgres_works() -> Result<(), Box<dyn std::error::Error>> {
    let served = Served::start();
    let (mut c, mut told) = connect(&served).await;
    pipelines(&c).await.map_err(|e| format!("pipelines: {e:?}"))?;
    copies(&c).await.map_err(|e| format!("copies: {e:?}"))?;
    transactions(&mut c).await.map_err(|e| format!("transactions: {e:?}"))?;
    cancel(&c).await.map_err(|e| format!("cancel: {e:?}"))?;
    notifications(&served, &mut c, &mut told).await.map_err(|e| format!("notifications: {e:?}"))?;
    Ok(())
}
