"""Drives a running server with SQLAlchemy or Django, or both: orm.py HOST PORT PASSWORD [sqlalchemy|django]. Exits 77 when a module is missing, naming it."""
import asyncio
import datetime
import decimal
import io
import os
import sys
import tempfile

host, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
try:
    import django
    import psycopg
    import sqlalchemy as sa
except ImportError as e:
    print(f"missing: {e.name} (pip install sqlalchemy django 'psycopg[binary]')")
    sys.exit(77)

from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(sa.Integer, sa.Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    born: Mapped[datetime.date | None]
    rating: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(6, 2))
    extra: Mapped[dict | None] = mapped_column(pg.JSONB)
    tags: Mapped[list[str] | None] = mapped_column(pg.ARRAY(sa.Text))
    key: Mapped[str | None] = mapped_column(pg.UUID(as_uuid=False))
    books: Mapped[list["Book"]] = relationship(back_populates="author", cascade="all, delete-orphan")
    __table_args__ = (sa.CheckConstraint("rating >= 0", name="rating_positive"), {"comment": "who writes"})


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text, comment="as printed")
    kind: Mapped[str] = mapped_column(sa.Enum("novel", "poem", name="book_kind"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id", ondelete="CASCADE"))
    published: Mapped[datetime.datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    author: Mapped[Author] = relationship(back_populates="books")
    __table_args__ = (sa.Index("book_author_title", "author_id", sa.desc("title")),)


def with_sqlalchemy():
    url = sa.URL.create("postgresql+psycopg", "postgres", password, host, port, "postgres")
    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    # Once more: everything is there already.
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        ann = Author(name="Ann", born=datetime.date(1950, 2, 3), rating=decimal.Decimal("4.50"), extra={"a": [1, None]}, tags=["x", "y z"])
        ann.books = [Book(title="One", kind="novel"), Book(title="Two", kind="poem")]
        session.add_all([ann, Author(name="Bob")])
        session.add_all([Author(name=f"Author {i}", rating=i) for i in range(200)])
        session.commit()
        assert ann.id == 1 and ann.books[0].published.tzinfo is not None
        found = session.scalars(sa.select(Author).options(selectinload(Author.books)).where(Author.name == "Ann")).one()
        assert found.extra == {"a": [1, None]} and found.tags == ["x", "y z"] and sorted(b.title for b in found.books) == ["One", "Two"]
        found.books.pop()
        found.rating += 1
        session.commit()
        joined = sa.select(Author.name, sa.func.count(Book.id)).outerjoin(Book).group_by(Author.name).order_by(Author.name.desc()).limit(2)
        assert session.execute(joined).all() == [("Bob", 0), ("Author 99", 0)]
        assert session.scalar(sa.select(sa.func.count()).where(Author.extra["a"][0].as_integer() == 1)) == 1
        upsert = pg.insert(Author).values(name="Bob", rating=9).on_conflict_do_update(index_elements=["name"], set_={"rating": 9}).returning(Author.rating)
        assert session.scalar(upsert) == 9
        ranked = sa.select(Author.name, sa.func.rank().over(order_by=Author.rating.desc().nulls_last())).limit(1)
        assert session.execute(ranked).one() == ("Author 199", 1)
        session.commit()
        session.add(Author(name="Ann"))
        try:
            session.commit()
            raise AssertionError("two of the same name")
        except sa.exc.IntegrityError as e:
            assert e.orig.sqlstate == "23505"
            session.rollback()
        with session.begin_nested():
            session.add(Author(name="Nested"))
        session.delete(session.get(Author, 1))
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(Book)) == 0
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as c:
        assert c.scalar(sa.text("SHOW transaction_isolation")) == "repeatable read"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=False) as c:
        c.execute(sa.text("CREATE VIEW author_names AS SELECT id, name FROM author"))
        c.execute(sa.text("CREATE SCHEMA other"))
        c.execute(sa.text("CREATE TABLE other.t (a int PRIMARY KEY, b int REFERENCES author)"))
    i = sa.inspect(engine)
    assert i.get_schema_names() == ["information_schema", "other", "public"], i.get_schema_names()
    assert sorted(i.get_table_names()) == ["author", "book"] and i.get_view_names() == ["author_names"]
    assert i.get_pk_constraint("author") == {"name": "author_pkey", "constrained_columns": ["id"], "comment": None, "dialect_options": {"postgresql_include": []}} or i.get_pk_constraint("author")["constrained_columns"] == ["id"]
    columns = {c["name"]: c for c in i.get_columns("author")}
    assert list(columns) == ["id", "name", "born", "rating", "extra", "tags", "key"]
    assert columns["id"]["identity"]["start"] == 1 and not columns["id"]["nullable"]
    assert (columns["rating"]["type"].precision, columns["rating"]["type"].scale) == (6, 2)
    assert isinstance(columns["tags"]["type"], pg.ARRAY) and isinstance(columns["extra"]["type"], pg.JSONB)
    keys = i.get_foreign_keys("book")
    assert keys[0]["referred_table"] == "author" and keys[0]["options"] == {"ondelete": "CASCADE"}, keys
    assert [x["name"] for x in i.get_indexes("book")] == ["book_author_title"]
    assert i.get_unique_constraints("author")[0]["column_names"] == ["name"]
    assert i.get_check_constraints("author")[0]["sqltext"] == "rating >= 0::numeric", i.get_check_constraints("author")
    assert i.get_table_comment("author") == {"text": "who writes"}
    assert i.get_enums() == [{"name": "book_kind", "schema": "public", "visible": True, "labels": ["novel", "poem"]}]
    assert "SELECT" in i.get_view_definition("author_names")
    reflected = sa.MetaData()
    reflected.reflect(engine)
    reflected.reflect(engine, schema="other")
    assert set(reflected.tables) == {"author", "book", "other.t"}
    assert str(reflected.tables["book"].c.kind.type) == "VARCHAR(5)" or reflected.tables["book"].c.kind.type.enums == ["novel", "poem"]
    with engine.begin() as c:
        c.execute(sa.text("DROP VIEW author_names"))
        c.execute(sa.text("DROP TABLE other.t"))
    Base.metadata.drop_all(engine)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()

    async def through_asyncpg():
        from sqlalchemy.ext.asyncio import create_async_engine

        engine = create_async_engine(url.set(drivername="postgresql+asyncpg"))
        async with engine.begin() as c:
            await c.run_sync(Base.metadata.create_all)
            await c.execute(sa.insert(Author), [{"name": f"n{i}", "extra": {"i": i}} for i in range(10)])
            assert (await c.execute(sa.select(sa.func.count()).select_from(Author))).scalar() == 10
            await c.run_sync(Base.metadata.drop_all)
        await engine.dispose()

    try:
        import asyncpg
    except ImportError:
        return
    asyncio.run(through_asyncpg())


def with_django():
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "PASSWORD": password, "HOST": host, "PORT": port}},
        INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "django.contrib.sites", "django.contrib.postgres", "shop"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SITE_ID=1,
        USE_TZ=True,
        SECRET_KEY="x",
    )
    folder = tempfile.mkdtemp()
    os.makedirs(f"{folder}/shop")
    open(f"{folder}/shop/__init__.py", "w").close()
    with open(f"{folder}/shop/models.py", "w") as f:
        f.write(
            "from django.db import models\n"
            "from django.contrib.postgres.fields import ArrayField\n"
            "class Item(models.Model):\n"
            "    name = models.CharField(max_length=30, unique=True)\n"
            "    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)\n"
            "    made = models.DateTimeField(auto_now_add=True)\n"
            "    facts = models.JSONField(default=dict)\n"
            "    tags = ArrayField(models.TextField(), default=list)\n"
            "    count = models.PositiveIntegerField(default=0, db_index=True)\n"
            "    class Meta:\n"
            "        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name='price_positive')]\n"
            "class Sale(models.Model):\n"
            "    item = models.ForeignKey(Item, models.CASCADE, related_name='sales')\n"
            "    amount = models.IntegerField()\n"
            "    class Meta:\n"
            "        unique_together = [('item', 'amount')]\n"
        )
    sys.path.insert(0, folder)
    django.setup()
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import IntegrityError, connection, models, transaction
    from django.db.models import Avg, Count, F, Max, OuterRef, Q, Subquery, Sum, Window
    from django.db.models.functions import Rank, TruncMonth, Upper

    from shop.models import Item, Sale

    quiet = {"verbosity": 0, "interactive": False}
    call_command("makemigrations", "shop", verbosity=0)
    call_command("migrate", **quiet)
    call_command("migrate", **quiet)
    assert Permission.objects.count() >= 20
    user = User.objects.create_user("ann", "ann@example.com", "secret")
    assert user.check_password("secret") and User.objects.get(username__iexact="ANN") == user
    user.groups.add(Group.objects.create(name="readers"))
    assert User.objects.filter(groups__name="readers").count() == 1
    session = SessionStore()
    session["x"] = 1
    session.save()
    assert SessionStore(session.session_key)["x"] == 1
    items = Item.objects.bulk_create([Item(name=f"item {i}", price=i, count=i % 7, facts={"n": i, "deep": {"k": str(i)}}, tags=[str(i % 3), "all"]) for i in range(100)])
    assert len(items) == 100 and items[0].pk
    for i in items[:10]:
        Sale.objects.create(item=i, amount=i.count)
    assert Item.objects.filter(facts__deep__k="5").get().price == 5
    assert Item.objects.filter(facts__has_key="n", tags__contains=["2"]).count() == 33
    assert Item.objects.filter(name__icontains="ITEM 9").count() == 11 and Item.objects.filter(name__regex=r"^item \d$").count() == 10
    assert Item.objects.aggregate(Avg("price"), Max("count"), total=Sum(F("price") * F("count")))["count__max"] == 6
    grouped = Item.objects.values("count").annotate(n=Count("id")).filter(n__gt=14).order_by("count")
    assert [g["n"] for g in grouped] == [15, 15]
    best = Item.objects.annotate(r=Window(Rank(), order_by=F("price").desc())).order_by("r").first()
    assert best.name == "item 99" and best.r == 1
    newest = Sale.objects.filter(item=OuterRef("pk")).order_by("-amount").values("amount")[:1]
    assert Item.objects.annotate(s=Subquery(newest)).filter(s__isnull=False).count() == 10
    assert Item.objects.annotate(m=TruncMonth("made"), u=Upper("name")).values_list("u", flat=True).order_by("id")[0] == "ITEM 0"
    assert Item.objects.filter(Q(price__lt=5) | Q(price__isnull=True)).update(count=F("count") + 100) == 5
    assert Item.objects.distinct("count").order_by("count", "id").count() >= 7
    assert Item.objects.select_related().prefetch_related("sales").first() is not None
    item, made = Item.objects.update_or_create(name="item 3", defaults={"price": 33})
    assert not made and Item.objects.get(pk=item.pk).price == 33
    try:
        with transaction.atomic():
            Item.objects.create(name="item 3")
        raise AssertionError("two of the same name")
    except IntegrityError:
        pass
    try:
        with transaction.atomic():
            Item.objects.create(name="dear", price=-1)
        raise AssertionError("a negative price")
    except IntegrityError as e:
        assert "price_positive" in str(e)
    with transaction.atomic():
        locked = Item.objects.select_for_update(skip_locked=True).filter(count=1)
        assert len(locked) > 0
        assert len(list(Item.objects.iterator(chunk_size=10))) == 100
    assert Item.objects.filter(sales__isnull=False).delete()[0] == 20
    Sale.objects.bulk_create([Sale(item=Item.objects.last(), amount=n) for n in range(3)], ignore_conflicts=True)
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        assert "shop_item" in names and "auth_user" in names
        constraints = connection.introspection.get_constraints(cursor, "shop_item")
        assert constraints["price_positive"]["check"] and any(c["unique"] and c["columns"] == ["name"] for c in constraints.values())
        assert connection.introspection.get_sequences(cursor, "shop_item")[0]["column"] == "id"
        assert connection.introspection.get_relations(cursor, "shop_sale")["item_id"][1] == "shop_item"
    out = io.StringIO()
    call_command("inspectdb", "shop_item", "shop_sale", stdout=out)
    text = out.getvalue()
    for part in ("class ShopItem(models.Model):", "name = models.CharField(unique=True, max_length=30)", "models.DecimalField(max_digits=8, decimal_places=2", "models.JSONField()", "models.ForeignKey(ShopItem, models.DO_NOTHING)", "unique_together = (('item', 'amount'),)"):
        assert part in text, (part, text)
    with open(f"{folder}/shop/models.py", "a") as f:
        f.write("class Note(models.Model):\n    text = models.TextField()\n    item = models.ForeignKey(Item, models.SET_NULL, null=True)\n")
    dumped = io.StringIO()
    call_command("dumpdata", "shop", stdout=dumped)
    assert dumped.getvalue().count('"model"') == Item.objects.count() + 3
    call_command("flush", **quiet)
    assert Item.objects.count() == 0 and Item.objects.create(name="new").pk == 1
    # Changes of a table that is there.
    with connection.schema_editor() as editor:
        old = Item._meta.get_field("count")
        new = models.BigIntegerField(default=5, null=True)
        new.set_attributes_from_name("count")
        editor.alter_field(Item, old, new)
        extra = models.CharField(max_length=10, default="x")
        extra.set_attributes_from_name("extra")
        editor.add_field(Item, extra)
        editor.remove_field(Item, extra)
        editor.alter_db_table(Item, "shop_item", "shop_thing")
        editor.alter_db_table(Item, "shop_thing", "shop_item")
    call_command("migrate", "shop", "zero", **quiet)
    with connection.cursor() as cursor:
        assert "shop_item" not in connection.introspection.table_names(cursor)
    connection.close()


asked = sys.argv[4:] or ["sqlalchemy", "django"]
if "sqlalchemy" in asked:
    with_sqlalchemy()
if "django" in asked:
    with_django()
print("sqlalchemy", sa.__version__, "django", django.__version__)
