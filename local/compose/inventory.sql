-- Run once by the postgres image, in the database inventory: two tables to watch, owned by the role that watches them
-- (a publication of a table is its owner's to make).
\getenv password INVENTORY_PASSWORD
create role fieldgate login replication password :'password';
grant create on database inventory to fieldgate;
create table customers (id bigint primary key, name text not null, email text);
create table orders (id bigint primary key, customer_id bigint not null references customers, total numeric(12, 2));
alter table customers owner to fieldgate;
alter table orders owner to fieldgate;
insert into customers (id, name, email) values (1, 'Ada', 'ada@example.com'), (2, 'Lin', null);
insert into orders (id, customer_id, total) values (1, 1, 9.50);
