-- The new software's tables, in MariaDB (10.7 or later, which has UUIDs). Keys stay numbers of ten digits, as
-- OpenELIS has them; texts compare by their bytes, so that two numbers of the source stay two.

create table state (
    id   decimal(10,0) primary key,
    kind varchar(24) not null,
    name varchar(30)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table section (
    id   decimal(10,0) primary key,
    name varchar(20)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table unit (
    id   decimal(10,0) primary key,
    name varchar(26),
    ucum varchar(40)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table specimen_kind (
    id     decimal(10,0) primary key,
    name   varchar(40) not null,
    active boolean
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table term (
    id       decimal(10,0) primary key,
    category decimal(10,0),
    words    varchar(4000),
    active   varchar(1),
    loinc    varchar(20)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table panel (
    id    decimal(10,0) primary key,
    name  longtext,
    loinc varchar(10)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table laboratory (
    id   decimal(10,0) primary key,
    name varchar(80) not null,
    city varchar(30)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table test (
    id          decimal(10,0) primary key,
    section_id  decimal(10,0) references section (id),
    unit_id     decimal(10,0) references unit (id),
    name        longtext not null,
    description longtext not null,
    loinc       varchar(240),
    active      varchar(1)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table panel_test (
    id       decimal(10,0) primary key,
    panel_id decimal(10,0) not null references panel (id),
    test_id  decimal(10,0) not null references test (id)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table person (
    id          decimal(10,0) primary key,
    family_name varchar(255),
    given_name  varchar(255),
    middle_name varchar(255)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table patient (
    id            decimal(10,0) primary key,
    person_id     decimal(10,0) not null references person (id),
    gender        varchar(10),
    birth_date    date,
    birth_written varchar(10),
    national_id   varchar(255),
    hospital_id   varchar(255),
    uuid          uuid,
    merged        boolean not null
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table patient_number (
    id         decimal(10,0) primary key,
    kind       decimal(10,0) not null,
    patient_id decimal(10,0) not null references patient (id),
    number     varchar(255)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table prescriber (
    id        decimal(10,0) primary key,
    person_id decimal(10,0) not null references person (id)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table lab_order (
    id        decimal(10,0) primary key,
    accession varchar(25) not null unique,
    entered   datetime(6) not null,
    received  datetime(6) not null,
    collected datetime(6),
    released  datetime(6),
    status_id decimal(10,0) references state (id),
    priority  varchar(255),
    uuid      uuid,
    origin    varchar(20) not null
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table order_subject (
    id          decimal(10,0) primary key,
    order_id    decimal(10,0) not null unique references lab_order (id),
    patient_id  decimal(10,0) not null references patient (id),
    provider_id decimal(10,0) references prescriber (id)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table specimen (
    id        decimal(10,0) primary key,
    order_id  decimal(10,0) not null references lab_order (id),
    kind_id   decimal(10,0) references specimen_kind (id),
    collected timestamp(6) null,
    status_id decimal(10,0) not null references state (id),
    rejected  boolean,
    voided    boolean
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table analysis (
    id           decimal(10,0) primary key,
    specimen_id  decimal(10,0) not null references specimen (id),
    test_id      decimal(10,0) not null references test (id),
    started      datetime(6),
    completed    datetime(6),
    released     datetime(6),
    status_id    decimal(10,0) not null references state (id),
    entered      timestamp(6) null,
    referred_out boolean,
    corrected    boolean,
    uuid         uuid
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

-- limits are texts: OpenELIS writes an absent one as an infinity, which MariaDB's double does not hold
create table result (
    id          decimal(10,0) primary key,
    analysis_id decimal(10,0) not null references analysis (id),
    kind        varchar(1),
    value       varchar(200),
    normal_low  varchar(40),
    normal_high varchar(40),
    part_of     decimal(10,0) references result (id)
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;

create table referral (
    id            decimal(10,0) primary key,
    analysis_id   decimal(10,0) not null references analysis (id),
    laboratory_id decimal(10,0) references laboratory (id),
    sent          timestamp(6) null,
    answered      timestamp(6) null
) engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin;
