CREATE EXTENSION IF NOT EXISTS citext;
CREATE SCHEMA shop;
CREATE SCHEMA archive;
CREATE TYPE level AS ENUM ('bronze', 'silver', 'gold');
CREATE TYPE shop.state AS ENUM ('open', 'paid');
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE public.customers (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name varchar(80) NOT NULL,
  email email,
  level level NOT NULL DEFAULT 'bronze',
  balance numeric(10,2) NOT NULL DEFAULT 0,
  active boolean NOT NULL DEFAULT true,
  joined timestamptz NOT NULL DEFAULT now(),
  zip text,
  age integer
);
CREATE INDEX customers_zip ON public.customers (zip);
CREATE TABLE shop.orders (
  id bigserial PRIMARY KEY,
  number text NOT NULL CONSTRAINT orders_number UNIQUE,
  customer_id integer NOT NULL CONSTRAINT orders_customer REFERENCES public.customers,
  state shop.state NOT NULL DEFAULT 'open',
  total numeric(12,2) NOT NULL CONSTRAINT orders_total CHECK (total >= 0),
  note text,
  tags text[] NOT NULL DEFAULT '{}',
  total_cents bigint GENERATED ALWAYS AS ((total * 100)::bigint) STORED
);
CREATE TABLE public."Account" (
  "id" text NOT NULL CONSTRAINT "Account_pkey" PRIMARY KEY,
  "userId" integer NOT NULL,
  "expiresAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE public.audit (at timestamptz NOT NULL DEFAULT now(), who text, what text NOT NULL);
CREATE TABLE public.codes (code text NOT NULL, region text NOT NULL, label text);
CREATE UNIQUE INDEX codes_code ON public.codes (code);
CREATE TABLE public.events (id bigint NOT NULL, at date NOT NULL, body jsonb, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE public.events_2025 PARTITION OF public.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE public.countries (id integer PRIMARY KEY, name text);
CREATE TABLE archive.orders (id bigint PRIMARY KEY);
CREATE TABLE public.goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL);
