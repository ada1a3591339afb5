# mbind and set_mempolicy on base pages: what is refused, holes, local, preferred_many, interleaving after parts are gone.
machine nodes=3 node_mem=768M
thp enabled never
spawn p
@p cpu 2
@p policy preferred:0,1
@p policy preferred_many
@p policy local:1
@p policy local
@p policy bind:0,1,2,5
@p policy bind:7
@p policy interleave:3-5
@p policy default:0-2
@p policy default
@p map a 3M anon
@p bind a interleave:0-2
@p touch a 0 300K
@p unmap a 300K 100K
@p touch a 400K 301K
@p bind a bind:1
@p touch a 1M 300K
@p bind a default
@p touch a 2M 300K
@p policy interleave:0,2
@p map b 1M anon
@p touch b 0 301K
@p fork q
@q touch b 512K 101K
@p touch b 512K 101K
@q touch b 0 100K
@p policy preferred_many:0-1
@p map c 1M anon
@p touch c 0 300K
@p map d 1M anon policy=preferred_many
@p touch d 0 100K
@p map g 4M anon policy=interleave
@p map h 4M anon policy=default:1
@p touch h 0 100K
@p bind h local
@p touch h 100K 100K
@p bind h preferred:5
@p bind h preferred:2-5
@p touch h 200K 100K
@p lock h 200K 200K
@p advise h 0 400K dontneed
@p advise h 0 200K free
@q exit
@p exit
