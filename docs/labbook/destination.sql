-- The destination of the worked example: an invented laboratory system on PostgreSQL.

create table patient (
    id                bigint primary key,
    code              varchar(8),
    local_number      varchar(20),
    family_name       varchar(80),
    given_name        varchar(80),
    birth_name        varchar(80),
    middle_name       varchar(80),
    birth_date        date,
    birth_date_approx bigint,
    gender            varchar(10),
    origin            varchar(20) not null
);

create table request (
    id            bigint primary key,
    patient_id    bigint not null references patient (id),
    received      timestamp,
    number_of_day varchar(12),
    number        varchar(10),
    prescribed    date not null,
    ward          varchar(50),
    status        bigint,
    validated     timestamp
);
create index request_patient on request (patient_id);

create table specimen (
    id         bigint primary key,
    request_id bigint not null references request (id),
    code       varchar(20),
    kind       bigint not null,
    status     bigint not null,
    collected  timestamp,
    received   timestamp
);
create index specimen_request on specimen (request_id);

create table analysis (
    id     bigint primary key,
    code   varchar(7),
    name   varchar(120) not null,
    short  varchar(20),
    family bigint,
    loinc  varchar(20)
);

create table variable (
    id          bigint primary key,
    name        varchar(120),
    code        varchar(10),
    unit        bigint,
    normal_low  varchar(20),
    normal_high varchar(20),
    kind        bigint
);

create table analysis_variable (
    id          bigint primary key,
    analysis_id bigint not null references analysis (id),
    variable_id bigint not null references variable (id),
    position    bigint
);

create table analysis_request (
    id          bigint primary key,
    request_id  bigint not null references request (id),
    analysis_id bigint not null references analysis (id),
    urgent      bigint,
    asked       bigint
);
create index analysis_request_request on analysis_request (request_id);

create table result (
    id                  bigint primary key,
    analysis_request_id bigint not null references analysis_request (id),
    variable_id         bigint not null references variable (id),
    value               varchar(120)
);
create index result_analysis_request on result (analysis_request_id);

create table validator (
    id          bigint primary key,
    given_name  varchar(50),
    family_name varchar(50)
);

create table validation (
    id           bigint primary key,
    result_id    bigint not null references result (id),
    validated    timestamp,
    validator_id bigint not null references validator (id),
    value        varchar(120),
    comment      text
);
create index validation_result on validation (result_id);

create table term (
    id          bigint primary key,
    list        varchar(20) not null,
    label       varchar(255) not null,
    short_label varchar(20) not null,
    code        varchar(10)
);
