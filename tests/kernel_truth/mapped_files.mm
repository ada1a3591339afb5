# Which pages of files are mapped: of a file of the disk and of the tmpfs, by several mappings and processes, and until
# the last of them goes.
machine nodes=2 node_mem=1G disk=4G
thp enabled never
thp shmem_enabled never
spawn p
spawn q
@p cpu 0
@q cpu 1
# A fault maps what is there of the 64K round it.
@p map f 8M file file=a shared
@p read f
@p touch f 0 1M r
@p touch f 2M 4K r
@p touch f 2M 256K r
@p touch f 6M 64K
# The same pages by other mappings, and some more.
@q map g 8M file file=a
@q touch g 0 2M r
@p map h 8M file file=a
@p touch h 1M 2M r
# Of a private mapping without pages of its own a child has nothing.
@q fork c
@c touch g 3M 256K r
# A copy is no page of the file.
@q touch g 0 512K
@q touch g 7M 512K
@p advise f 0 1M dontneed
@p touch f 0 64K r
@q unmap g 1M 512K
@q exit
@c touch g 1536K 1M r
@p unmap h
drop_caches 1
@c unmap g
drop_caches 1
@p touch f 0 64K
@p truncate f 32K
@p unmap f
# A tmpfs that is mounted huge=always: huge pages, by a PMD and in parts.
@p map s 4M shmem file=s
@c map s 4M shmem file=s
@p touch s 0 1M
@c touch s 512K 1M r
@c punch s 768K 128K
@c touch s 0 256K r
@p fork d
@p unmap s 0 512K
@d touch s 0 64K r
@c advise s 0 4M remove
@d touch s r
@p touch s
@d exit
@c exit
@p move s 1
@p exit
